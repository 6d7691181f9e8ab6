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

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
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
