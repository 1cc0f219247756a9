// Looks at the built site as readers do: every page in headless Chromium, at the width of a phone and of a desk.
//
//   mkdocs build --strict
//   npm install --prefix /tmp/look playwright-core
//   NODE_PATH=/tmp/look/node_modules node docs/site/look.cjs pictures [part of an address ...]
//
// It leaves a picture of each page in the folder, and links.txt with the addresses elsewhere that pages link to, for you
// to try: nothing is fetched.  It exits with 1 if a page scrolls sideways, asks another host for
// something, finds something missing, or complains.  CHROMIUM names the browser (/usr/bin/chromium).  --dark: dark.
const fs = require("fs");
const http = require("http");
const path = require("path");
const { chromium } = require("playwright-core");

const SITE = path.resolve(__dirname, "../../build/site");
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };
const TYPES = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml", png: "image/png",
                json: "application/json", map: "application/json" };
const TALLEST = 6000;  // pixels of a picture; the rest of a long page is left out

const words = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const [out, ...parts] = words;
const dark = process.argv.includes("--dark");
if (!out) throw new Error("say where the pictures go: node look.cjs FOLDER [part of an address ...]");

function pages(folder = SITE) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return pages(full);
    return entry.name === "index.html" ? [path.relative(SITE, path.dirname(full))] : [];
  });
}

const server = http.createServer((request, response) => {
  let file = path.join(SITE, decodeURIComponent(new URL(request.url, "http://x").pathname));
  if (fs.existsSync(file) && fs.statSync(file).isDirectory()) file = path.join(file, "index.html");
  if (!file.startsWith(SITE) || !fs.existsSync(file)) return response.writeHead(404).end();
  const type = TYPES[path.extname(file).slice(1)] || "application/octet-stream";
  response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(fs.readFileSync(file));
});

// What sticks out of the page to the right, though not out of something that scrolls by itself.
const TOO_WIDE = () => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return null;
  const scrolls = (e) => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = [...document.querySelectorAll(".md-content *")]
    .filter((e) => e.getBoundingClientRect().right > page.clientWidth + 1 && !scrolls(e.parentElement));
  return `${page.scrollWidth} > ${page.clientWidth} pixels: ` +
         wide.slice(0, 3).map((e) => `<${e.tagName.toLowerCase()}> ${e.textContent.trim().slice(0, 60)}`).join("; ");
};

async function main() {
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const address = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  let bad = 0;
  const elsewhere = new Map();  // address -> the page that links to it
  const chosen = pages().filter((page) => !parts.length || parts.some((part) => `/${page}/`.includes(part)));
  for (const [name, viewport] of Object.entries(SIZES)) {
    const context = await browser.newContext({ viewport, colorScheme: dark ? "dark" : "light" });
    const tab = await context.newPage();
    let complaints = [];
    tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    tab.on("pageerror", (error) => complaints.push(String(error)));
    tab.on("request", (request) => request.url().startsWith(address) || request.url().startsWith("data:") ||
                                   request.url().startsWith("blob:") || complaints.push(`asks ${request.url()}`));
    tab.on("response", (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
    for (const page of chosen) {
      complaints = [];
      await tab.goto(`${address}/${page ? `${page}/` : ""}`, { waitUntil: "load" });
      const wide = await tab.evaluate(TOO_WIDE);
      if (wide) complaints.push(`scrolls sideways: ${wide}`);
      for (const link of await tab.$$eval("a[href^=http]", (links) => links.map((a) => a.href)))
        if (!link.startsWith(address)) elsewhere.set(link, page);
      const height = Math.min(await tab.evaluate(() => document.documentElement.scrollHeight), TALLEST);
      const picture = path.join(out, name, `${page || "home"}.png`.replaceAll("/", "_"));
      fs.mkdirSync(path.dirname(picture), { recursive: true });
      await tab.screenshot({ path: picture, clip: { x: 0, y: 0, width: viewport.width, height }, fullPage: true });
      for (const complaint of complaints) console.log(`${name} /${page}: ${complaint}`);
      bad += complaints.length;
    }
    await context.close();
  }
  fs.writeFileSync(path.join(out, "links.txt"), [...elsewhere].sort().map(([a, page]) => `${a}  /${page}\n`).join(""));
  console.log(`${chosen.length} pages at two widths, ${bad} complaints; pictures in ${out}`);
  await browser.close();
  server.close();
  process.exitCode = bad ? 1 : 0;
}

main();
