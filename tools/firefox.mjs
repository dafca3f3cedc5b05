// Open pages from disk in Firefox, use them, and print as JSON what its console says of each: {page: [words]}.
//     node firefox.mjs <folder of node_modules> <Firefox> <site> <page> ...
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, executablePath, site, ...pages] = process.argv.slice(2);
const { default: puppeteer } = await import(createRequire(`${modules}/`).resolve("puppeteer-core"));
const BROKEN = "data:text/html,<script>console.warn('heard');missing()</script>";
const OURS = /^(file|data|blob):/;

// Down to the end, one slider to its end, one prediction answered.
async function use() {
  window.scrollTo(0, document.body.scrollHeight);
  const slider = document.querySelector(".live-controls input[type=range]");
  if (slider) {
    slider.value = slider.max;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.querySelector(".prediction-form input[type=radio]")?.click();
  document.querySelector(".prediction-check")?.click();
  await new Promise((done) => setTimeout(done, 500));
}

async function listen(browser, url) {
  const page = await browser.newPage();
  const words = [];
  page.on("console", (message) => words.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => words.push(`page error: ${error.message}`));
  page.on("request", (request) => OURS.test(request.url()) || words.push(`asks for ${request.url()}`));
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate(use);
  await page.close();
  return words;
}

const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
try {
  if ((await listen(browser, BROKEN)).length !== 2) throw new Error("A page that warns and fails was not heard.");
  const said = {};
  for (const page of pages) said[page] = await listen(browser, `${pathToFileURL(site)}/${page}`);
  console.log(JSON.stringify(said));
} finally {
  await browser.close();
}
