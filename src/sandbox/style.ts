import { createHash } from 'node:crypto';

/**
 * The company's own style sheet: nothing of the paper's, so that nobody takes its pages for the paper's. It is small,
 * and stands here rather than among the built files because it belongs to another house.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #eef1f6;
  --panel: #ffffff;
  --ink: #14213d;
  --soft: #4d5871;
  --line: #d5dbe6;
  --edge: #7c879d;
  --hover: #f3f6fc;
  --blue: #2448d8;
  --blue-deep: #1a37ad;
  --on-blue: #ffffff;
  --bar: #14213d;
  --on-bar: #ffffff;
  --test: #ffd166;
  --on-test: #2b2100;
  --good: #12734a;
  --bad: #a3182b;
  --bad-ground: #fdecee;
  --note-ground: #e8edfd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0c111c;
    --panel: #161d2c;
    --ink: #e9edf6;
    --soft: #a9b3c7;
    --line: #2b3549;
    --edge: #7683a0;
    --hover: #1d2638;
    --blue: #7f9bff;
    --blue-deep: #a3b7ff;
    --on-blue: #0a1230;
    --bar: #0a0e17;
    --good: #5fd39c;
    --bad: #ff9aa6;
    --bad-ground: #35161c;
    --note-ground: #1b2544;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html {
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Devanagari", Arial, sans-serif;
  -webkit-text-size-adjust: 100%;
  text-size-adjust: 100%;
}
body { margin: 0; min-height: 100dvh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
p, h1, dl, dd { margin: 0; }
a { color: var(--blue); text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }

.bar {
  background: var(--bar);
  color: var(--on-bar);
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.5rem 1rem;
  padding: 0.75rem 1rem;
}
.brand { display: flex; align-items: center; gap: 0.6rem; font-weight: 700; letter-spacing: -0.01em; }
.mark { width: 1.75rem; height: 1.75rem; }
.mark rect { fill: #3f63f5; }
.mark path { fill: none; stroke: #fff; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.test {
  background: var(--test);
  color: var(--on-test);
  border-radius: 99px;
  padding: 0.1rem 0.7rem;
  font-size: 0.8125rem;
  font-weight: 600;
}

h1, p, .way-more { text-wrap: pretty; }

.columns { flex: 1; width: 100%; max-width: 60rem; margin: 0 auto; display: grid; align-content: start; gap: 1.5rem; padding: 1.5rem 1rem 2rem; }
.columns-one { max-width: 34rem; }
@media (min-width: 50rem) {
  .bar { padding: 0.75rem 2rem; }
  .columns { grid-template-columns: minmax(0, 1fr) minmax(0, 1.25fr); gap: 3rem; padding: 4rem 2rem; }
  .columns-one { grid-template-columns: minmax(0, 1fr); }
}

.merchant { color: var(--soft); font-weight: 600; }
.amount { font-size: 2.75rem; line-height: 1.15; font-weight: 700; letter-spacing: -0.03em; font-variant-numeric: tabular-nums; }
.amount-none { font-size: 1.75rem; }
.description { margin-top: 0.25rem; font-size: 1.0625rem; }
.facts { margin-top: 1rem; border-top: 1px solid var(--line); padding-top: 1rem; font-size: 0.875rem; display: grid; gap: 0.25rem; }
.facts div { display: flex; gap: 0.5rem; }
.facts dt { color: var(--soft); flex: 0 0 5.5rem; }
.reference { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.8125rem; }
.back { display: inline-block; padding: 0.6rem 0; margin-top: 0.5rem; font-size: 0.9375rem; }
.back::before { content: "← "; }

.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 1rem; padding: 1.25rem; }
@media (min-width: 50rem) { .panel { padding: 2rem; box-shadow: 0 12px 40px rgb(20 33 61 / 7%); } }
.panel h1 { font-size: 1.25rem; line-height: 1.3; letter-spacing: -0.01em; }
.notice { background: var(--note-ground); border-radius: 0.6rem; padding: 0.75rem 1rem; margin-bottom: 1.25rem; font-size: 0.9375rem; }
.notice-bad { background: var(--bad-ground); }
.notice-bad strong { color: var(--bad); }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.9em; }

.ways { display: grid; margin-top: 1rem; }
.rails { border: 0; margin: 0 0 1.25rem; padding: 0; min-width: 0; display: grid; }
.rails legend { color: var(--soft); font-size: 0.875rem; padding: 0; margin-bottom: 0.4rem; }
.rail {
  display: flex;
  align-items: center;
  gap: 0.8rem;
  border: 1px solid var(--edge);
  margin-top: -1px;
  padding: 0.6rem 0.9rem;
  cursor: pointer;
}
.rail:first-of-type { border-radius: 0.6rem 0.6rem 0 0; margin-top: 0; }
.rail:last-of-type { border-radius: 0 0 0.6rem 0.6rem; }
.rail:hover { background: var(--hover); }
.rail:has(:checked) { background: var(--note-ground); border-color: var(--blue); position: relative; }
.rail:has(:focus-visible) { outline: 3px solid var(--blue); outline-offset: 2px; z-index: 1; }
.rail input { accent-color: var(--blue); width: 1.1rem; height: 1.1rem; margin: 0; flex: none; }
.rail input:focus-visible { outline: none; }
.rail-title { display: block; font-weight: 600; }
.rail-more { display: block; color: var(--soft); font-size: 0.875rem; line-height: 1.4; }
button, select { font: inherit; color: inherit; }
button { cursor: pointer; }
.pay, .return {
  display: block;
  width: 100%;
  border: 0;
  border-radius: 0.6rem;
  background: var(--blue);
  color: var(--on-blue);
  font-weight: 650;
  padding: 0.85rem 1rem;
  text-align: center;
  text-decoration: none;
}
.pay:hover, .return:hover { background: var(--blue-deep); }
.card-line { color: var(--soft); font-size: 0.875rem; margin: 0.5rem 0 1rem; text-align: center; }
.way {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 1rem;
  width: 100%;
  padding: 0.9rem 0;
  border: 0;
  border-top: 1px solid var(--line);
  background: none;
  text-align: start;
}
.way:last-child { padding-bottom: 0; }
button.way:hover .way-title { text-decoration: underline; text-underline-offset: 0.2em; }
.way-says { display: block; }
.way-title { display: block; font-weight: 600; }
.way-more, .way label { display: block; color: var(--soft); font-size: 0.875rem; }
.way-arrow { color: var(--soft); font-size: 1.25rem; }
button.way:hover .way-arrow { color: var(--blue); }
.way-act { display: flex; gap: 0.5rem; flex: 1 1 15rem; }
.way-act select { flex: 1; min-width: 0; }
.way-act select, .way-act button, .refuse {
  border: 1px solid var(--edge);
  border-radius: 0.5rem;
  background: var(--panel);
  min-height: 2.75rem;
  padding: 0.4rem 0.75rem;
}
.way-act button { font-weight: 600; }
.way-act button:hover, .refuse:hover { background: var(--hover); }
.way:has(select) { flex-wrap: wrap; gap: 0.5rem 1rem; }
.pay-chosen { margin-bottom: 0.75rem; }

.bank { border-top: 0.4rem solid var(--good); }
.bank-name { display: flex; align-items: center; gap: 0.5rem; color: var(--good); font-weight: 650; margin-bottom: 1rem; }
.bank-mark { width: 1.5rem; height: 1.5rem; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.bank h1 + p { margin: 0.5rem 0 1.5rem; color: var(--soft); }
.bank strong { color: var(--ink); }
.answers { display: grid; gap: 0.75rem; }
.refuse { width: 100%; padding: 0.85rem 1rem; border-radius: 0.6rem; font-weight: 650; }

.result { text-align: center; display: grid; gap: 0.75rem; justify-items: center; align-content: center; }
.result p { color: var(--soft); max-width: 26rem; width: 100%; }
.result-mark { width: 3.5rem; height: 3.5rem; fill: none; stroke: var(--soft); stroke-width: 3; stroke-linecap: round; stroke-linejoin: round; }
.result-complete .result-mark { stroke: var(--good); }
.result-pending .result-mark { stroke: var(--blue); }
.return { margin-top: 0.75rem; }

.foot { border-top: 1px solid var(--line); color: var(--soft); font-size: 0.8125rem; padding: 1rem; text-align: center; }
.foot p { max-width: 36rem; margin: 0 auto; }
`;

/** Its address changes with its text, so browsers may keep it. */
export const STYLE_PATH = `/sandbox/sandbox-pay.css?v=${createHash('sha256').update(STYLE).digest('hex').slice(0, 10)}`;
