// Opens a page in Chromium. Prints the console's faults, what was requested, and slides whose content does not fit.
const puppeteer = require("puppeteer-core");
(async () => {
  const browser = await puppeteer.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const faults = [];
  const requests = [];
  page.on("console", (message) => { if (["error", "warn", "warning"].includes(message.type())) faults.push(message.text()); });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => { faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewport({ width: 1300, height: 900 });
  const address = "file://" + process.argv[3];
  await page.goto(address);
  const seen = await page.evaluate(() => ({
    overfull: [...document.querySelectorAll("section")]
      .map((section, at) => [at + 1, section.scrollHeight - section.clientHeight])
      .filter(([, over]) => over > 0),
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    formulas: [...document.querySelectorAll("math")].filter((math) => math.getBoundingClientRect().width > 0).length,
  }));
  await browser.close();
  const outside = requests.filter((url) => !url.startsWith("file://") && !url.startsWith("data:"));
  console.log(JSON.stringify({ faults, outside, ...seen }));
})();
