// What assistive technology needs: names for fields and buttons, one h1, a language, distinct ids, contrast.
const faults = [];
const named = (e) => (e.labels && e.labels.length) || e.getAttribute('aria-label') || e.textContent.trim() || e.title;
for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, progress'))
  if (!named(e)) faults.push('no name: ' + e.outerHTML.slice(0, 80));
if (document.querySelectorAll('h1').length !== 1) faults.push('h1');
if (!document.documentElement.lang) faults.push('lang');
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
if (new Set(ids).size !== ids.length) faults.push('doubled id');
for (const e of document.querySelectorAll('[aria-labelledby], [aria-describedby]'))
  for (const id of (e.getAttribute('aria-labelledby') || e.getAttribute('aria-describedby')).split(' '))
    if (!document.getElementById(id)) faults.push('no element ' + id);
const light = (c) => { const [r, g, b] = c.match(/[\d.]+/g).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!c.startsWith('rgba(0, 0, 0, 0')) return c; } return 'rgb(255, 255, 255)'; };
for (const e of document.querySelectorAll('body *')) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.offsetWidth || e.matches('.unseen, .skip, option')) continue;
  const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
  if ((a + .05) / (b + .05) < 4.5) faults.push('contrast ' + ((a + .05) / (b + .05)).toFixed(2) + ': ' + e.outerHTML.slice(0, 80));
}
if (document.documentElement.scrollWidth > innerWidth + 1) faults.push('wider than the window');
return faults;
