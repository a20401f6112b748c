# The mixed-model solve that R users of GBLUP know, in plain R: restricted maximum likelihood by an
# eigendecomposition (Kang and others 2008, Genetics 178:1709; as Endelman 2011, Plant Genome 4:250, describes
# mixed.solve of his package rrBLUP). It stands for that algorithm and is not the package.
#
#   Rscript benchmarks/speed/eigen_reml.R calls.raw lines markers learn y.txt
#
# calls.raw: one byte for each call (0, 1 or 2), marker after marker, of all lines; the first `learn` lines
# have records, in y.txt. Prints the heritability, seconds of the relationship and of the solve, and predictions
# of all lines.
arguments <- commandArgs(trailingOnly = TRUE)
lines <- as.integer(arguments[2])
markers <- as.integer(arguments[3])
learn <- as.integer(arguments[4])
y <- scan(arguments[5], quiet = TRUE)
calls <- matrix(readBin(arguments[1], "integer", lines * markers, size = 1), lines, markers)
seconds <- function() sum(proc.time()[1:2])

begun <- seconds()
p <- colMeans(calls[1:learn, ]) / 2
kept <- p > 0 & p < 1
centred <- sweep(calls[, kept], 2, 2 * p[kept])
kinship <- tcrossprod(centred, centred[1:learn, ]) / (2 * sum(p[kept] * (1 - p[kept])))
related <- seconds()

own <- kinship[1:learn, ]
n <- length(y)
# Between error contrasts: S (K + offset I) S has the eigenvalues theta + offset; the offset keeps it regular.
offset <- sqrt(n)
shifted <- own + diag(offset, n)
shifted <- sweep(sweep(shifted, 1, rowMeans(shifted)), 2, colMeans(shifted)) + mean(shifted)
spectrum <- eigen(shifted, symmetric = TRUE)
theta <- spectrum$values[1:(n - 1)] - offset
squares <- as.vector(crossprod(spectrum$vectors[, 1:(n - 1)], y))^2
minus_likelihood <- function(log_ratio) {
  total <- theta + exp(log_ratio)
  (n - 1) * log(sum(squares / total)) + sum(log(total))
}
ratio <- exp(optimize(minus_likelihood, c(-12, 12))$minimum)
genetic <- sum(squares / (theta + ratio)) / (n - 1)
inverse_y <- spectrum$vectors[, 1:(n - 1)] %*%
  (crossprod(spectrum$vectors[, 1:(n - 1)], y) / (theta + ratio))
effects <- kinship %*% inverse_y
fixed <- mean(y - own %*% inverse_y - ratio * inverse_y)
solved <- seconds()

spread <- mean(diag(own)) - mean(own)
cat(genetic * spread / (genetic * spread + genetic * ratio), related - begun, solved - related, "\n")
cat(fixed + effects, "\n")
