// Handing in files: drop or choose many, one request per file, progress and answer on each line.
// The level is declared before anything is sent. A file stays on the list until the server has said what became of it;
// a lost connection is offered again, an answer about the file (4xx) is not repeated by itself.
"use strict";

(() => {
  const AT_ONCE = 2;
  const LARGEST = 512 * 1024 * 1024;
  const figures = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  const size = (bytes) =>
    bytes < 1024 * 1024 ? `${figures.format(Math.ceil(bytes / 1024))} kB` : `${figures.format(bytes / 1024 / 1024)} MB`;

  class Upload {
    constructor(form) {
      this.form = form;
      this.say = form.dataset;
      this.list = form.querySelector("[data-upload-list]");
      this.level = form.querySelector("[name=level]");
      this.batch = form.querySelector("[name=batch]");
      this.lines = [];
      this.busy = 0;
      this.listen();
    }

    listen() {
      const files = this.form.querySelector("[type=file]");
      files.addEventListener("change", () => {
        this.add([...files.files]);
        files.value = "";
      });
      files.addEventListener("click", (event) => {
        if (this.ready()) return;
        event.preventDefault();
      });
      this.level.addEventListener("change", () => this.note(""));
      this.form.addEventListener("submit", (event) => event.preventDefault());
      for (const name of ["dragenter", "dragover"]) {
        this.form.addEventListener(name, (event) => {
          event.preventDefault();
          this.form.classList.add("over-drop");
        });
      }
      for (const name of ["dragleave", "drop"]) this.form.addEventListener(name, () => this.form.classList.remove("over-drop"));
      this.form.addEventListener("drop", (event) => {
        event.preventDefault();
        if (this.ready()) this.add([...event.dataTransfer.files]);
      });
      window.addEventListener("beforeunload", (event) => {
        if (this.busy || this.lines.some((line) => line.state === "waiting")) event.preventDefault();
      });
    }

    ready() {
      if (this.level.value) return true;
      this.note(this.say.choose);
      this.level.focus();
      return false;
    }

    note(words) {
      const place = this.form.querySelector("[data-upload-note]");
      place.textContent = words;
      place.hidden = !words;
    }

    add(files) {
      for (const file of files) {
        const line = { file, state: "waiting", box: this.draw(file), done: 0 };
        line.box.querySelector("[data-again]").addEventListener("click", () => this.again(line));
        this.lines.push(line);
        if (file.size > LARGEST) this.settle(line, "refused", this.say.tooBig);
        else this.show(line, "waiting");
      }
      this.sum();
      this.pump();
    }

    draw(file) {
      const box = this.form.querySelector("[data-upload-row]").content.firstElementChild.cloneNode(true);
      box.querySelector("[data-name]").textContent = file.name;
      box.querySelector("[data-size]").textContent = size(file.size);
      this.list.append(box);
      return box;
    }

    show(line, state, why = "") {
      line.state = state;
      const words = line.box.querySelector("[data-state]");
      words.hidden = state === "lost"; // the reason and the button say it
      words.querySelector("[data-word]").textContent = this.say[state] ?? "";
      for (const shape of words.querySelectorAll("[data-shape]")) shape.hidden = shape.dataset.shape !== state;
      words.classList.toggle("state-doing", state === "sending");
      words.classList.toggle("state-done", state === "taken");
      words.classList.toggle("state-late", state === "refused");
      const reason = line.box.querySelector("[data-why]");
      reason.textContent = why;
      reason.hidden = !why;
      line.box.querySelector("[data-again]").hidden = state !== "lost";
      line.box.querySelector("progress").hidden = state !== "sending" && state !== "waiting";
    }

    settle(line, state, why) {
      line.done = state === "lost" ? 0 : 1;
      this.show(line, state, why);
      this.sum();
    }

    again(line) {
      this.show(line, "waiting");
      this.sum();
      this.pump();
    }

    // The first file goes alone: its answer names the batch that the others join.
    pump() {
      const room = this.batch.value ? AT_ONCE : 1;
      while (this.busy < room) {
        const line = this.lines.find((one) => one.state === "waiting");
        if (!line) break;
        this.send(line);
      }
    }

    send(line) {
      this.busy += 1;
      this.show(line, "sending");
      const body = new FormData(this.form);
      body.delete("file");
      body.append("file", line.file, line.file.name);
      const call = new XMLHttpRequest();
      call.open("POST", this.form.action);
      call.setRequestHeader("Accept", "application/json");
      call.setRequestHeader("X-Requested-With", "XMLHttpRequest");
      call.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        line.done = 0.95 * (event.loaded / event.total); // the rest is the sealing on the server
        line.box.querySelector("progress").value = line.done;
        this.sum();
      });
      call.addEventListener("load", () => this.answer(line, call));
      for (const name of ["error", "timeout", "abort"]) call.addEventListener(name, () => this.settle(line, "lost", this.say.lost));
      call.addEventListener("loadend", () => {
        this.busy -= 1;
        this.pump();
        this.finish();
      });
      call.send(body);
    }

    answer(line, call) {
      let said;
      try {
        said = JSON.parse(call.responseText);
      } catch {
        return this.settle(line, "lost", this.say.lost); // a page instead of an answer: signed out, or a fault on the way
      }
      if (said.batch) this.batch.value = said.batch;
      if (said.batch_url) this.link(said.batch_url);
      if (call.status >= 500) this.settle(line, "lost", said.message ?? this.say.lost);
      else if (call.status >= 400 || said.ok !== true) this.settle(line, "refused", said.message ?? this.say.lost);
      else {
        this.settle(line, "taken", "");
        if (said.message) line.box.querySelector("[data-word]").textContent = said.message;
      }
    }

    link(address) {
      const link = this.form.querySelector("[data-upload-batch]");
      link.href = address;
      link.hidden = false;
    }

    sum() {
      this.form.querySelector("[data-upload-foot]").hidden = !this.lines.length;
      const taken = this.lines.filter((line) => line.state === "taken").length;
      const words = this.say.sum.replace("{done}", figures.format(taken)).replace("{all}", figures.format(this.lines.length));
      const place = this.form.querySelector("[data-upload-sum]");
      if (place.textContent !== words) place.textContent = words;
      const whole = this.form.querySelector("[data-upload-whole]");
      whole.value = this.lines.reduce((sum, line) => sum + line.done, 0) / Math.max(1, this.lines.length);
    }

    finish() {
      if (this.busy || this.lines.some((line) => line.state === "waiting")) return;
      const detail = { batch: this.batch.value, lost: this.lines.filter((line) => line.state === "lost").length };
      this.form.dispatchEvent(new CustomEvent("upload:done", { bubbles: true, detail }));
    }
  }

  const start = () => {
    for (const form of document.querySelectorAll("[data-upload]:not([data-ready])")) {
      form.dataset.ready = "";
      form.upload = new Upload(form);
    }
  };
  start();
  document.addEventListener("htmx:afterSettle", start);
})();
