// Keys, a live preview, and a question before unsaved changes are left. Everything works without it.
"use strict";

const form = document.getElementById("edit");
const body = document.getElementById("body");
const show = document.getElementById("show");
let changed = false;
let waiting = 0;

function previewSoon() {
  changed = true;
  if (!show) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => form.requestSubmit(show), 500);
}

function isTyping(target) {
  return target.matches("input, textarea, select, [contenteditable]");
}

function act(element) {
  if (isTyping(element)) element.focus();
  else element.click();
}

// Single keys get in the way of who speaks to the computer or whose hand slips: they can be turned off.
const KEYS_OFF = "review-keys-off";

function keysAreOn() {
  try {
    return localStorage.getItem(KEYS_OFF) === null;
  } catch {
    return true; // the browser keeps nothing
  }
}

function showKeys() {
  const on = keysAreOn();
  document.getElementById("keys-on").hidden = !on;
  document.getElementById("keys-switch").textContent = on ? "Turn these keys off" : "Turn single keys on";
}

function switchKeys() {
  const on = keysAreOn();
  let said = on ? "Single keys are off." : "Single keys are on.";
  try {
    if (on) localStorage.setItem(KEYS_OFF, "1");
    else localStorage.removeItem(KEYS_OFF);
  } catch {
    said = "Your browser lets no page remember this.";
  }
  showKeys();
  document.getElementById("keys-said").textContent = said;
}

document.getElementById("keys-switch").addEventListener("click", switchKeys);
window.addEventListener("storage", showKeys); // it was switched in another tab
showKeys();
document.getElementById("keys").hidden = false;

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
  if (!keysAreOn()) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
  const element = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!element) return;
  event.preventDefault();
  act(element);
});

if (form) {
  form.addEventListener("input", previewSoon);
  form.addEventListener("submit", (event) => {
    if (event.submitter !== show) changed = false;
  });
  // A browser drops what is sent to a frame in the moment in which its first page comes: send it again.
  window.addEventListener("load", () => changed && previewSoon());
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

// Enter in the reason rejects; without this it would save, as in every other field.
const reason = document.getElementById("reason");
if (reason) {
  reason.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.getElementById("reject").click();
  });
}

// The first preview waits for a build of the site.
const building = document.getElementById("building");
if (building && document.readyState !== "complete") {
  const told = setTimeout(() => (building.textContent = "building your site …"), 700);
  window.addEventListener("load", () => {
    clearTimeout(told);
    building.textContent = "";
  });
}

// How sure the model was of each word: asked for once the page is there, since measuring takes some seconds.
const measure = document.getElementById("measure");

async function shadeWords() {
  const said = document.getElementById("measuring");
  said.textContent = "measuring …";
  try {
    const answer = await fetch(measure.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shaded = page.getElementById("shaded");
    if (!answer.ok || !shaded) throw new Error(answer.statusText);
    document.getElementById("shaded").replaceWith(document.adoptNode(shaded));
    said.textContent = "";
    measure.parentElement.hidden = true;
  } catch {
    said.textContent = "(could not be measured; the link says why)";
  }
}

if (measure) addEventListener("load", shadeWords);

// How far another draft is. Only what changed is touched: the focus stays where it is.
const progress = document.getElementById("progress");

async function lookAtProgress() {
  const said = document.getElementById("progress-said");
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("progress");
    if (!now) return location.reload();
    progress.max = now.max;
    progress.value = now.value;
    const words = page.getElementById("progress-said").textContent;
    if (said.textContent !== words) said.textContent = words;
  } catch {
    said.textContent = "The server does not answer.";
  }
  setTimeout(lookAtProgress, 1000);
}

if (progress) setTimeout(lookAtProgress, 1000);
