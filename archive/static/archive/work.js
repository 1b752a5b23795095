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

  // Direction is a leader's, work is a unit's or a staff member's; everybody may be informed.
  function fitReceivers(form) {
    const to = form.querySelector("select[data-leaders]");
    const kind = form.querySelector("[name=kind]:checked")?.value;
    for (const group of to.querySelectorAll("optgroup")) {
      const leaders = group.label === to.dataset.leaders;
      group.disabled = kind === "direct" ? !leaders : kind !== "inform" && leaders;
    }
    if (to.selectedOptions[0]?.parentElement.disabled) {
      to.value = to.querySelector("optgroup:not(:disabled) option")?.value ?? "";
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
    const handing = event.target.closest("form:has(select[data-leaders])");
    if (handing) fitReceivers(handing);
  });

  for (const form of document.querySelectorAll("form:has([data-lead])")) onePart(form);
  for (const form of document.querySelectorAll("form:has(select[data-leaders])")) fitReceivers(form);
  for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();
})();
