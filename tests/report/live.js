// Drives a live page in Chromium: node live.js CHROMIUM PAGE PLAN. The plan says what to do; prints what was seen.
const fs = require("fs");
const puppeteer = require("puppeteer-core");
const plan = JSON.parse(fs.readFileSync(process.argv[4], "utf8"));
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const READ = () => Object.fromEntries([...document.querySelectorAll("#live .panel")].map((panel, at) => [at,
  Object.fromEntries([...panel.querySelectorAll(".line")].map((line) => [line.dataset.quantity,
    { value: line.dataset.value, exact: line.dataset.exact === "true", text: line.querySelector("math").textContent }]))]));

// The derivation's own results: the rows of each that are seen, a row that goes on joined to the one before.
const RESULTS = () => Object.fromEntries([...document.querySelectorAll('section[data-panel="0"]:not([hidden]) [data-quantity]')].map((block) => [block.dataset.quantity,
  [...block.querySelectorAll("mtr")].filter((row) => row.style.display !== "none").map((row) => row.lastChild.textContent)
    .reduce((rows, row) => /^[=≈]/.test(row) ? [...rows, row] : [...rows.slice(0, -1), rows.at(-1) + row], [])]));

// The numbers among the derivation's words, by what they are.
const FIGURES = () => [...document.querySelectorAll('section[data-panel="0"]:not([hidden]) [data-of]')].map((place) => [place.dataset.of, place.textContent]);

// Each control is set as a reader would: its value, then the event that the browser fires.
const SET = ({ letters, chosen, sliders }) => {
  const panel = document.querySelector("#live .panel");
  const put = (found, value, kind) => { found.value = value; found.dispatchEvent(new Event(kind, { bubbles: true })); };
  for (const [name, value] of Object.entries(chosen ?? {})) put(panel.querySelector(`[data-choice="${name}"]`), value, "change");
  for (const [name, value] of Object.entries(letters ?? {})) put(panel.querySelector(`[data-letter="${name}"]`), value, "input");
  for (const [name, value] of Object.entries(sliders ?? {})) put(panel.querySelector(`[data-slider="${name}"]`), value, "input");
};

// Contrast of every piece of text with what lies behind it, by WCAG 2.2: the least, and where.
const CONTRAST = () => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\d.]+/g).map(Number).map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)" && colour !== "transparent") return colour;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  let least = [99, ""];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    const style = getComputedStyle(node);
    const [one, other] = [light(node instanceof SVGElement ? style.fill : style.color), light(behind(node))].sort((x, y) => y - x);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < least[0]) least = [ratio, node.outerHTML.slice(0, 120)];
  }
  return least;
};

const SHOWN = () => {
  const width = document.documentElement.clientWidth;
  return { over: document.documentElement.scrollWidth - width,
    unnamed: [...document.querySelectorAll("#live input, #live select, #live button, #live svg[role=img]")]
      .filter((each) => !(each.labels?.length || each.getAttribute("aria-label") || each.textContent.trim())).map((each) => each.outerHTML),
    twice: [...document.querySelectorAll("[id]")].map((each) => each.id).filter((id, at, all) => all.indexOf(id) !== at) };
};

(async () => {
  const browser = await puppeteer.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
  const page = await browser.newPage();
  const seen = { faults: [], requests: [] };
  page.on("console", (message) => { if (["error", "warn", "warning"].includes(message.type())) seen.faults.push(message.text()); });
  page.on("pageerror", (error) => seen.faults.push(String(error)));
  page.on("dialog", (dialog) => { seen.faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith("file://")) seen.requests.push(request.url()); });
  const address = "file://" + process.argv[3];
  await page.setViewport({ width: 1300, height: 900 });
  await page.goto(address);

  seen.start = await page.evaluate(READ);
  seen.findings = await page.evaluate(() => [...document.querySelectorAll(".charts figure:not([hidden]) strong, .finding")].map((each) => each.textContent));
  seen.settings = [], seen.results = [], seen.figures = [];
  for (const setting of plan.settings ?? []) {
    await page.evaluate(SET, setting);
    seen.settings.push((await page.evaluate(READ))[0]);
    seen.results.push(await page.evaluate(RESULTS));
    seen.figures.push(await page.evaluate(FIGURES));
  }

  if (plan.times) {
    seen.moved = await page.evaluate(() => {  // how long a slider's move takes
      const slider = document.querySelector('[data-slider="b"]'), times = [];
      for (let at = 1; at < 20; at += 1) {
        slider.value = at;
        const before = performance.now();
        slider.dispatchEvent(new Event("input"));
        document.body.offsetHeight;  // lays the page out
        times.push(performance.now() - before);
      }
      return times.sort((x, y) => x - y)[10];
    });
  }

  if (plan.walk) {
    await page.goto("about:blank");
    await page.goto(address);  // keyboard alone
    await page.keyboard.press("Tab");
    const reach = async (selector) => {
      for (let at = 0; at < 400; at += 1) {
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return true;
        await page.keyboard.press("Tab");
      }
      return false;
    };
    const keys = seen.keys = {};
    keys.slider = await reach('[data-slider="b"]');
    await page.keyboard.press("ArrowRight");
    keys.b = await page.evaluate(() => document.querySelector('[data-letter="b"]').value);
    keys.choice = await reach('[data-choice="under"]');
    await page.keyboard.press("ArrowDown");
    keys.under = await page.evaluate(() => document.activeElement.value);
    keys.copy = await reach(".copy");
    await page.keyboard.press("Enter");
    await wait(100);
    keys.copied = await page.evaluate(() => document.activeElement.parentElement.querySelector("[role=status]").textContent);
    keys.term = await reach(".term");
    keys.why = await page.evaluate(() => document.querySelector(".why").textContent);
    keys.lit = await page.evaluate(() => [...document.querySelectorAll("tr.lit th")].map((cell) => cell.textContent));
    keys.sort = await reach("thead button");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    keys.sizes = await page.evaluate(() => [...document.querySelectorAll(".panel td.r")].map((cell) => Number(cell.textContent.replace(/\D/g, ""))));
    keys.sorted = await page.evaluate(() => document.activeElement.parentElement.getAttribute("aria-sort"));
    await wait(300);
    seen.address = page.url();
    seen.before = (await page.evaluate(READ))[0];
    await page.goto("about:blank");
    await page.goto(seen.address);
    seen.after = (await page.evaluate(READ))[0];

    await page.goto("about:blank");
    await page.goto(address);
    await (await page.$$(".line[data-quantity=saved_activations] .term")).at(-1).hover();
    seen.hovered = await page.evaluate(() => [document.querySelector(".why").textContent, document.querySelectorAll("tr.lit").length]);
    await page.evaluate(() => document.querySelector('.line[data-quantity="peak_memory"] .copy').click());

    seen.wrong = [];
    for (const [letter, value] of [["b", ""], ["b", "-3"], ["c", "2.5"], ["MFU", "1.5"], ["d", "1000"]]) {
      await page.evaluate(SET, { letters: { [letter]: value } });
      seen.wrong.push(await page.evaluate(() => document.querySelector(".fault").textContent));
      await page.evaluate(SET, { letters: { b: 4, c: 256, MFU: 0.5, d: 1024 } });
    }
    seen.mended = await page.evaluate(() => document.querySelector(".fault").textContent);
  }

  seen.looks = {};
  for (const scheme of ["light", "dark"]) for (const [kind, width] of [["desk", 1300], ["phone", 375]]) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    seen.looks[`${scheme} ${kind}`] = { contrast: await page.evaluate(CONTRAST), ...await page.evaluate(SHOWN) };
    if (plan.pictures) await page.screenshot({ path: `${plan.pictures}/${scheme}-${kind}.png`, clip: { x: 0, y: 0, width, height: 3000 }, captureBeyondViewport: true });
  }
  await page.emulateMediaType("print");
  seen.printed = await page.evaluate(() => getComputedStyle(document.querySelector(".controls")).display);
  await page.emulateMediaType("screen");
  await page.setJavaScriptEnabled(false);
  await page.goto("about:blank");
  await page.goto(address);
  await browser.close();
  console.log(JSON.stringify(seen));
})();
