// Slides by Marp's own engine, written to a page. Prints how many slides and formulas there are.
const fs = require("fs");
const path = require("path");
const { Marp } = require("@marp-team/marp-core");
const plugin = require("@marp-team/marp-core/plugins/katex");
const fonts = path.join(path.dirname(require.resolve("katex")), "fonts") + path.sep;
const marp = new Marp().use((plugin.default || plugin)({ fontPath: `file://${fonts}` }));
const { html, css } = marp.render(fs.readFileSync(process.argv[2], "utf8"));
const local = css.replace(/https:\/\/[^)"']*\/fonts\//g, `file://${fonts}`);
fs.writeFileSync(process.argv[3], `<!doctype html><meta charset="utf-8"><style>${local}</style>${html}`);
const count = (text) => html.split(text).length - 1;
console.log(JSON.stringify({ slides: count("<section"), formulas: count('class="katex"'), faults: count("katex-error"), images: count("<img") }));
