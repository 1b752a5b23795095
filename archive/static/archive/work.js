// The leader's page and the thread: phrases go behind what was typed, one unit has one part, a refused dialog opens again.
// Without it every form still works; the server refuses what this keeps people from choosing.
"use strict";

(() => {
  function addPhrase(button) {
    const words = document.getElementById(button.dataset.phraseIn);
    const typed = words.value.trimEnd();
    if (!typed.includes(button.dataset.phrase)) words.value = (typed ? `${typed} ` : "") + button.dataset.phrase;
    words.focus();
    words.setSelectionRange(words.value.length, words.value.length);
  }

  // A unit that leads is not asked to cooperate or to take note as well.
  function onePart(form) {
    const lead = form.querySelector("[data-lead] input:checked")?.value;
    const taken = new Set([lead]);
    for (const box of form.querySelectorAll("[data-others] input")) {
      box.disabled = taken.has(box.value);
      if (box.disabled) box.checked = false;
      else if (box.checked) taken.add(box.value);
    }
  }

  document.addEventListener("click", (event) => {
    const phrase = event.target.closest("[data-phrase]");
    if (phrase) addPhrase(phrase);
    // A lead pressed again is taken away: a direction may do without.
    const chosen = event.target.closest("[data-lead] input");
    if (chosen && chosen.dataset.was) {
      chosen.checked = false;
      onePart(chosen.form);
    }
    if (chosen) for (const one of chosen.form.querySelectorAll("[data-lead] input")) one.dataset.was = one.checked ? "1" : "";
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form:has([data-lead])");
    if (form) onePart(form);
  });

  for (const form of document.querySelectorAll("form:has([data-lead])")) onePart(form);
  for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();
})();
