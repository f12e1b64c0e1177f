#include "host-bridge/lab/report/page_style.h"

namespace ballast::sim {

std::string_view PageStyle() {
  return R"css(
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b2027; --soft: #57606a; --grid: #e4e8ec; --axis: #9aa4ae;
  --card: #f6f8fa; --size: #0b66b5; --resident: #b06400; --used: #12805c; --usedfill: #12805c40; --stall: #8a3fa0;
  --stallfill: #8a3fa050; --kill: #c62f17; --tick: #4b5a69; --ours: #0b66b514; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161b; --ink: #e7eaee; --soft: #9ba6b1; --grid: #262d35; --axis: #5c6772; --card: #1a2027;
    --size: #62b2f4; --resident: #eea53c; --used: #3fc79a; --usedfill: #3fc79a38; --stall: #d291e4;
    --stallfill: #d291e440; --kill: #ff7158; --tick: #a9b6c3; --ours: #62b2f41c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 66rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.8rem 0 .3rem; padding-top: 1rem; border-top: 1px solid var(--grid); }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; }
.soft, figcaption { color: var(--soft); }
code { font: 13px/1.5 ui-monospace, monospace; background: var(--card); padding: .15rem .4rem; border-radius: 4px;
  overflow-wrap: anywhere; }
nav a { color: var(--size); margin-right: 1rem; white-space: nowrap; }
.scroll { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .28rem .55rem; text-align: right; border-bottom: 1px solid var(--grid); }
th { color: var(--soft); font-weight: 600; line-height: 1.25; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: .4rem; }
tr.ours { background: var(--ours); font-weight: 600; }
td.harm { color: var(--kill); font-weight: 600; }
.verdict { background: var(--card); border-radius: 8px; padding: .8rem 1.1rem; margin: .8rem 0; }
.verdict h3 { margin: 0 0 .3rem; font-size: .95rem; }
.verdict ul { margin: 0; padding-left: 1.1rem; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0 0 0 1.1rem; color: var(--soft); }
figure { margin: .8rem 0 0; }
figcaption { font-size: 13px; }
.rivals { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .6rem 1.2rem; }
svg.chart { display: block; width: 100%; height: auto; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .6rem 0; padding: 0;
  font-size: 13px; color: var(--soft); }
.legend svg { width: 24px; height: 12px; margin-right: .4rem; vertical-align: -1px; }
.readout { min-height: 1.5em; margin: 0; max-width: none; font-size: 12.5px; color: var(--soft);
  font-variant-numeric: tabular-nums; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); text-anchor: middle; }
svg text.value { text-anchor: end; }
svg text.name { text-anchor: start; fill: var(--ink); }
.grid { stroke: var(--grid); stroke-width: 1; }
.axis { stroke: var(--axis); stroke-width: 1; }
polyline, polygon, path { fill: none; stroke-linejoin: round; }
.total { stroke: var(--axis); stroke-width: 1.5; stroke-dasharray: 2 4; }
.host { stroke: var(--ink); stroke-width: 1.8; }
.size { stroke: var(--size); stroke-width: 1.8; }
.resident { stroke: var(--resident); stroke-width: 1.6; stroke-dasharray: 6 3; }
.used { stroke: var(--used); fill: var(--usedfill); stroke-width: 1; }
.stall { stroke: var(--stall); fill: var(--stallfill); stroke-width: 1; }
.hoststall { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 1 2; }
.tick { stroke: var(--tick); stroke-width: 1; }
.kill path { stroke: var(--kill); stroke-width: 2; }
.kill path.killline { stroke-width: 1; opacity: .55; }
.pointer { stroke: var(--ink); stroke-width: 1; opacity: .5; }
)css";
}

std::string_view PageScript() {
  return R"js(
const valueAt = (points, x) => {
  for (let i = 1; points.length > i; i += 1) {
    const a = points[i - 1], b = points[i];
    if (x >= a.x) { if (b.x >= x) { return b.x > a.x ? a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x) : b.y; } }
  }
  return NaN;
};
for (const chart of document.querySelectorAll('svg.chart')) {
  const readout = document.createElement('p');
  readout.className = 'readout';
  chart.after(readout);
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  line.setAttribute('class', 'pointer');
  const set = chart.dataset, left = Number(set.left), width = Number(set.width);
  chart.addEventListener('pointermove', (event) => {
    const box = chart.getBoundingClientRect();
    const x = (event.clientX - box.left) * chart.viewBox.baseVal.width / box.width;
    const share = Math.min(1, Math.max(0, (x - left) / width));
    const at = left + share * width;
    const words = [(share * set.span).toPrecision(3) + ' ' + set.time];
    for (const panel of chart.querySelectorAll(':scope > g[data-base]')) {
      const scale = panel.dataset;
      for (const series of panel.querySelectorAll('.series')) {
        const area = series.tagName === 'polygon' ? 1 : 0;
        const points = Array.from(series.points).slice(area, series.points.length - area);
        const value = (scale.base - valueAt(points, at)) / scale.height * scale.most;
        if (Number.isFinite(value)) { words.push(series.dataset.name + ' ' + value.toFixed(1) + ' ' + scale.unit); }
      }
    }
    for (const [name, value] of [['x1', at], ['x2', at], ['y1', 20], ['y2', set.bottom]]) { line.setAttribute(name, value); }
    chart.append(line);
    readout.textContent = words.join(' \u00b7 ');
  });
  chart.addEventListener('pointerleave', () => { line.remove(); readout.textContent = ''; });
}
)js";
}

}  // namespace ballast::sim
