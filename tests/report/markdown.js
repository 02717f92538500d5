// Markdown as GitHub and GitLab read it: $`…`$ and ```math. Prints how many formulas KaTeX has set; a fault throws.
const fs = require("fs");
const katex = require("katex");
let set = 0;
const engine = {
  renderToString(latex, options) {
    set += 1;
    return katex.renderToString(latex, { ...options, throwOnError: true, strict: "error" });
  },
};
const markdown = require("markdown-it")({ html: true }).use(require("markdown-it-texmath"), { engine, delimiters: "gitlab" });
const html = markdown.render(fs.readFileSync(process.argv[2], "utf8"));
const count = (tag) => html.split(`<${tag}`).length - 1;
console.log(JSON.stringify({ formulas: set, faults: html.split("texmath-error").length - 1, tables: count("table"), images: count("img") }));
