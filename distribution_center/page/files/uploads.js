// Films that are dropped on the page, one after the other: announced first, then sent as they are on the disk.

import { keepList } from "/shared/element.js";
import { notice } from "/shared/notices.js";
import { TOKEN_HEADERS, say, sentenceOf } from "./api.js";
import { makeProgress } from "./ingests.js";
import * as words from "./words.js";

export function makeUploads() {
  const drop = document.getElementById("drop");
  const title = document.getElementById("title");
  const file = document.getElementById("file");
  const list = document.getElementById("uploads");
  const parts = new Map();
  const waiting = [];
  let number = 0;
  let current = null;

  document.getElementById("choose").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    take([...file.files]);
    file.value = "";
  });
  const isFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!isFile(event)) return;
    event.preventDefault();
    drop.dataset.over = "";
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete drop.dataset.over;
  });
  addEventListener("drop", (event) => {
    delete drop.dataset.over;
    if (!isFile(event)) return;
    event.preventDefault();
    const items = [...event.dataTransfer.items];
    if (items.some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
      notice("A folder cannot be sent: make an archive (tar, zip) of it.", { refused: true });
      return;
    }
    take([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => {
    if (current) event.preventDefault();
  });

  function take(files) {
    for (const one of files) {
      number += 1;
      waiting.push({ number, file: one, title: files.length === 1 ? title.value.trim() : "", sent: 0, begun: null, request: null });
    }
    title.value = "";
    show();
    sendNext();
  }

  function show() {
    const all = current ? [current, ...waiting] : [...waiting];
    keepList(list, parts, all, (upload) => upload.number, () => makeUpload());
  }

  function makeUpload() {
    let upload = null;
    const part = makeProgress({ stop: () => stop(upload), label: "Stop" });
    return { root: part.root, update(now) { upload = now; part.update({ title: now.title || now.file.name, text: textOf(now), fraction: now.sent / Math.max(1, now.file.size) }); } };
  }

  function textOf(upload) {
    if (!upload.begun) return `waiting, ${words.bytes(upload.file.size)}`;
    const took = (performance.now() - upload.begun) / 1000;
    const left = took > 2 && upload.sent ? words.left(((upload.file.size - upload.sent) * took) / upload.sent) : "";
    return [`uploading, ${words.bytes(upload.sent)} of ${words.bytes(upload.file.size)}`, left].filter(Boolean).join(", ");
  }

  function stop(upload) {
    if (upload === current) upload.request?.abort();
    else waiting.splice(waiting.indexOf(upload), 1);
    show();
  }

  async function sendNext() {
    if (current || !waiting.length) return;
    current = waiting.shift();
    const problem = await send(current);
    if (problem) notice(`${current.file.name}: ${problem}`, { refused: true });
    else notice(`${current.file.name} has come, and is being ingested.`);
    current = null;
    show();
    sendNext();
  }

  // What is in the way, as a sentence; "" when all of it has come.
  async function send(upload) {
    upload.begun = performance.now();
    const { answer, refused } = await say("uploads/begin", { name: upload.file.name, length_bytes: upload.file.size, title: upload.title || null });
    if (!answer) return upload.file.size ? refused : "The file is empty.";
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      upload.request = request;
      request.upload.addEventListener("progress", (event) => {
        upload.sent = event.loaded;
        show();
      });
      request.addEventListener("load", () => done(request.status === 200 ? "" : sentenceOf(request.getResponseHeader("Content-Type") ?? "", request.responseText)));
      request.addEventListener("error", () => done("The connection has ended: nothing of it is kept."));
      request.addEventListener("abort", () => done("Stopped: nothing of it is kept."));
      request.open("PUT", `/uploads/${answer.upload}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      for (const [name, value] of Object.entries(TOKEN_HEADERS)) request.setRequestHeader(name, value);
      request.send(upload.file);
    });
  }
}
