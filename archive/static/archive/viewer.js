// The page viewer: small pages, page by page, zoom, found words, boxes of fields over the image.
// It fetches only the page in view, because every page image sent is written to the log as read; a page once shown is kept
// in memory and not asked for again. It decides nothing: pages, boxes and words come from kit/viewer.html.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const ZOOM = ["whole", "50", "75", "100", "125", "150", "200", "300"];
  const WIDE = 1000; // units across the overlay; the height follows the page

  const read = (text) => {
    try {
      return text ? JSON.parse(text) : [];
    } catch {
      return [];
    }
  };

  function drawn(name, attributes, words) {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) shape.setAttribute(key, value);
    if (words !== undefined) shape.textContent = words;
    return shape;
  }

  class Viewer {
    constructor(box) {
      this.box = box;
      this.sheet = box.querySelector("[data-sheet]");
      this.desk = box.querySelector("[data-paper]");
      this.links = [...box.querySelectorAll("[data-page]")];
      this.images = new Map();
      this.boxes = new Map();
      this.places = [];
      for (const link of this.links) {
        const page = Number(link.dataset.page);
        this.boxes.set(page, read(link.dataset.boxes));
        for (const place of read(link.dataset.hits)) this.places.push({ page, place });
      }
      this.at = -1;
      this.zoom = ZOOM.indexOf("100");
      this.listen();
      const wanted = Number(box.dataset.current) || this.places[0]?.page || Number(this.links[0]?.dataset.page);
      const places = box.querySelector("[data-places]");
      if (places) places.textContent = String(this.places.length);
      const next = box.querySelector("[data-next-hit]");
      if (next) next.hidden = !this.places.length;
      if (wanted) this.show(wanted);
      this.scale();
    }

    listen() {
      this.box.addEventListener("click", (event) => {
        const on = (selector) => event.target.closest(selector);
        if (on("[data-turn]")) this.turn(Number(on("[data-turn]").dataset.turn));
        if (on("[data-zoom]")) this.magnify(Number(on("[data-zoom]").dataset.zoom));
        if (on("[data-rotate]")) this.rotate();
        if (on("[data-next-hit]")) this.seek(event.shiftKey ? -1 : 1);
        if (on("[data-fullscreen]")) document.fullscreenElement ? document.exitFullscreen() : this.box.requestFullscreen?.();
        const link = on(".thumbs [data-page]");
        if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
          event.preventDefault();
          this.show(Number(link.dataset.page));
        }
        const field = on(".over [data-field]");
        if (field) this.say("office:box", { field: field.dataset.field });
      });
      // A file's own link beside the viewer turns to its pages; without script it opens the page anew.
      document.addEventListener("click", (event) => {
        const link = event.target.closest("[data-show-page]");
        if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.show(Number(link.dataset.showPage));
        this.box.scrollIntoView({ block: "nearest" });
      });
      document.addEventListener("keydown", (event) => {
        if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
        if (window.office.typing(event.target) || document.querySelector("dialog[open]")) return;
        if (event.key === "=") this.magnify(1); // plus without Shift
        else if (event.key.toLowerCase() === "g" && this.places.length) this.seek(event.shiftKey ? -1 : 1);
        else return;
        event.preventDefault();
      }, true);
    }

    say(name, detail) {
      this.box.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
    }

    turn(by) {
      const here = this.links.findIndex((link) => Number(link.dataset.page) === this.page);
      const next = this.links[here + by];
      if (next) this.show(Number(next.dataset.page));
    }

    show(page) {
      const link = this.links.find((one) => Number(one.dataset.page) === page);
      if (!link || page === this.page) return;
      this.page = page;
      for (const one of this.links) one.removeAttribute("aria-current");
      link.setAttribute("aria-current", "page");
      if (link.offsetParent) link.scrollIntoView({ block: "nearest", inline: "nearest" });
      this.box.querySelector("[data-number]").textContent = String(page);
      this.box.querySelector(".card-header [data-file]").textContent = link.dataset.file ?? "";
      for (const button of this.box.querySelectorAll("[data-turn]")) {
        button.disabled = link === this.links[Number(button.dataset.turn) < 0 ? 0 : this.links.length - 1];
      }
      this.place(link);
      this.desk.scrollTop = 0;
    }

    place(link) {
      const image = this.images.get(this.page) ?? this.fetch(link);
      const over = this.overlay(Number(link.dataset.width) || WIDE, Number(link.dataset.height) || WIDE * 1.414);
      this.sheet.replaceChildren(image, over);
      this.draw();
      if (image.complete && image.naturalWidth) this.say("office:page", { page: this.page, image });
    }

    fetch(link) {
      const page = this.page;
      const image = new Image(Number(link.dataset.width) || undefined, Number(link.dataset.height) || undefined);
      image.alt = this.box.dataset.words.replace("{n}", String(page)).replace("{record}", this.box.dataset.record);
      this.sheet.setAttribute("aria-busy", "true");
      image.addEventListener("load", () => {
        this.sheet.removeAttribute("aria-busy");
        this.say("office:page", { page, image });
      });
      image.addEventListener("error", () => {
        this.sheet.removeAttribute("aria-busy");
        this.images.delete(page);
        window.office.toast("bad", this.box.dataset.missing);
      });
      image.src = link.href;
      this.images.set(page, image);
      return image;
    }

    overlay(width, height) {
      this.high = (WIDE * height) / width;
      this.over = drawn("svg", { class: "over", viewBox: `0 0 ${WIDE} ${this.high.toFixed(1)}`, "aria-hidden": "true" });
      return this.over;
    }

    // Boxes are ten-thousandths of width and height; the overlay has square units, so that figures are not stretched.
    rect([left, top, right, bottom], spread, attributes) {
      const x = (left / 10000) * WIDE - spread;
      const y = (top / 10000) * this.high - spread;
      const width = ((right - left) / 10000) * WIDE + 2 * spread;
      const height = ((bottom - top) / 10000) * this.high + 2 * spread;
      return drawn("rect", { x: x.toFixed(1), y: y.toFixed(1), width: width.toFixed(1), height: height.toFixed(1), ...attributes });
    }

    draw() {
      const places = this.places.filter(({ page }) => page === this.page);
      const now = this.places[this.at];
      const shapes = places.map((one) => this.rect(one.place, 2, { class: one === now ? "hit here" : "hit" }));
      for (const one of this.boxes.get(this.page) ?? []) shapes.push(...this.marked(one));
      this.over.replaceChildren(...shapes);
    }

    marked({ box, kind, n, field }) {
      const here = field !== undefined && field === this.field;
      const frame = this.rect(box, 4, { class: `${kind ?? ""}${here ? " here" : ""}`.trim(), rx: 3, "data-field": field });
      if (n === undefined || n === null) return [frame];
      const x = Math.max(0, Number(frame.getAttribute("x")) - 26);
      const y = Number(frame.getAttribute("y")) + Number(frame.getAttribute("height")) / 2 - 11;
      return [
        frame,
        drawn("rect", { class: kind === "doubt" ? "tag-doubt" : "tag", x, y, width: 24, height: 22, rx: 3, "data-field": field }),
        drawn("text", { x: x + 12, y: y + 16, "text-anchor": "middle" }, String(n)),
      ];
    }

    // The registering desk tells which boxes stand for which fields, and which field is current.
    mark(page, boxes) {
      this.boxes.set(page, boxes);
      if (page === this.page) this.draw();
    }

    point(field, page) {
      this.field = field;
      if (page && page !== this.page) this.show(page);
      else this.draw();
      this.reveal(this.over?.querySelector("rect.here"));
    }

    reveal(shape) {
      if (!shape) return;
      const place = shape.getBoundingClientRect();
      const frame = this.desk.getBoundingClientRect();
      if (place.top < frame.top || place.bottom > frame.bottom) {
        this.desk.scrollTop += place.top - frame.top - frame.height / 3;
      }
      if (place.left < frame.left || place.right > frame.right) {
        this.desk.scrollLeft += place.left - frame.left - frame.width / 3;
      }
    }

    seek(by) {
      if (!this.places.length) return;
      if (this.at < 0) {
        const first = this.places.findIndex(({ page }) => page >= this.page);
        this.at = by > 0 ? Math.max(0, first) : this.places.length - 1;
      } else this.at = (this.at + by + this.places.length) % this.places.length;
      const places = this.box.querySelector("[data-places]");
      if (places) places.textContent = `${this.at + 1} / ${this.places.length}`;
      const { page } = this.places[this.at];
      if (page === this.page) this.draw();
      else this.show(page);
      this.reveal(this.over.querySelector(".hit.here"));
    }

    magnify(by) {
      if (by === 0) this.zoom = this.zoom === 0 ? ZOOM.indexOf("100") : 0;
      else this.zoom = Math.min(ZOOM.length - 1, Math.max(0, this.zoom + by));
      this.scale();
    }

    scale() {
      for (const step of ZOOM) this.sheet.classList.toggle(`zoom-${step}`, step === ZOOM[this.zoom] && step !== "100");
      const shown = this.box.querySelector("[data-scale]");
      if (shown) shown.textContent = this.zoom === 0 ? "" : `${ZOOM[this.zoom]} %`;
    }

    rotate() {
      this.quarter = ((this.quarter ?? 0) + 90) % 360;
      for (const turn of [90, 180, 270]) this.sheet.classList.toggle(`turn-${turn}`, turn === this.quarter);
    }
  }

  const start = (within) => {
    for (const box of within.querySelectorAll("[data-viewer]:not([data-ready])")) {
      box.dataset.ready = "";
      box.viewer = new Viewer(box);
      box.dispatchEvent(new CustomEvent("office:viewer", { bubbles: true }));
    }
  };
  start(document);
  document.addEventListener("htmx:afterSettle", () => start(document));
})();
