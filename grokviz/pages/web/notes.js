// The reader's notes, each at a moment, and the link that carries them: they are nowhere but in
// the address, so that a copied link takes them along.

const NOTE_LENGTH = 600;

const noting = {};

function buildNotes() {
  noting.open = document.getElementById("notes-open");
  noting.panel = document.getElementById("notes");
  noting.copy = document.getElementById("copy");
  noting.text = element("textarea", { id: "note-text", rows: "2", maxlength: NOTE_LENGTH, "aria-label": "A note at the moment shown" });
  noting.list = element("ol", { class: "noted" });
  noting.add = element("button", { type: "button", class: "plain", onclick: addNote });
  noting.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) addNote();
    if (event.key === "Escape") showNotes(false);
  });
  noting.panel.append(
    element("p", {}, "Notes stand in the link of the page and nowhere else: copy the link to keep them or to send them."),
    element("div", { class: "noting" }, noting.text, noting.add),
    noting.list,
  );
  noting.open.addEventListener("click", () => showNotes(noting.panel.hidden));
  noting.copy.addEventListener("click", copyLink);
  on("moment", nameNote);
  nameNote();
  listNotes();
}

function nameNote() {
  const moment = clock.length > 1 ? ` at ${facts.word} ${spaced(clock[state.at])}` : "";
  noting.add.textContent = `Add${moment}`;
}

function showNotes(open) {
  noting.panel.hidden = !open;
  noting.open.setAttribute("aria-expanded", String(open));
  (open ? noting.text : noting.open).focus();
}

function addNote() {
  const text = noting.text.value.trim();
  if (!text) return;
  noting.text.value = "";
  setNotes([...state.notes, { at: clock[state.at], text }]);
}

function setNotes(notes) {
  state.notes = [...notes].sort((a, b) => a.at - b.at);
  remember();
  listNotes();
}

function listNotes() {
  const count = state.notes.length;
  noting.open.textContent = count ? `Notes (${count})` : "Notes";
  noting.list.replaceChildren(
    ...state.notes.map((one) => {
      const moment = `${facts.word} ${spaced(one.at)}`;
      const go = () => change("moment", { at: nearest(clock, one.at) });
      const drop = () => setNotes(state.notes.filter((other) => other !== one));
      return element(
        "li",
        {},
        clock.length > 1 ? element("button", { type: "button", class: "plain", onclick: go }, moment) : "",
        element("span", {}, one.text),
        element("button", { type: "button", class: "save", "aria-label": `Delete the note at ${moment}`, onclick: drop }, "delete"),
      );
    }),
  );
  markNotes();
}

/** Where the notes are, on the slider's track. */
function markNotes() {
  if (!controls.track) return;
  for (const mark of controls.track.querySelectorAll(".note-mark")) mark.remove();
  for (const { at } of state.notes) {
    const mark = element("i", { class: "note-mark" });
    mark.style.left = `${100 * share(at)}%`;
    controls.track.append(mark);
  }
}

/** The notes that a fragment carries: "9050 text". */
function notesIn(said) {
  return said.getAll("note").flatMap((text) => {
    const [, at, words] = /^(-?[\d.]+) (.+)$/s.exec(text) ?? [];
    return words && Number.isFinite(Number(at)) ? [{ at: Number(at), text: words.slice(0, NOTE_LENGTH) }] : [];
  });
}

async function copyLink() {
  const link = `${location.href.split("#")[0]}#${fragment()}`;
  let copied = true;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    copied = copiedByHand(link); // a page from the disk may have no clipboard of that kind
  }
  const said = copied ? "Copied" : "Copy it from the address bar";
  noting.copy.textContent = said;
  say(copied ? "The link is copied" : said);
  setTimeout(() => (noting.copy.textContent = "Copy link"), 2500);
}

function copiedByHand(text) {
  const area = element("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  noting.copy.focus();
  return copied;
}
