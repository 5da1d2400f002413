/** The style sheet of the local stack’s pages: for phones and keyboard use, in light and dark mode. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --ground: #f5f7fa; --card: #fff; --line: #cfd6df; --accent: #1d6b3f; --bad: #a11d1d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf2; --ground: #12161c; --card: #1b212a; --line: #3a4452; --accent: #4fbf83; --bad: #ff8f8f; } }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
header { padding: .75rem 1rem; border-bottom: 1px solid var(--line); font-weight: 600; }
header span { font-weight: 400; opacity: .75; margin-left: .5rem; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem 1rem; margin: 1rem 0; }
.price { font-size: 1.25rem; } .price small { opacity: .8; font-size: 1rem; }
.status { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .6rem; margin-left: .5rem; }
.error { color: var(--bad); border: 1px solid currentColor; border-radius: .5rem; padding: .5rem .75rem; }
.hint { opacity: .85; }
.choices { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
button { font: inherit; padding: .65rem 1.1rem; border-radius: .5rem; border: 1px solid var(--line); background: var(--card); color: var(--ink); cursor: pointer; min-height: 2.75rem; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--ground); font-weight: 600; }
button.quiet { background: transparent; }
button:focus-visible, a:focus-visible, .scroll:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: inherit; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
`;
