// The page as an article: a few steps, each of which goes to a moment, brings a panel into view
// and says what is true of the run and what to look at. Python chose them from what the scenes
// argue of this run (steps.py); what a panel shows at the moment it says itself.

const guide = { at: null, parts: {} };

const guided = () => facts.steps ?? [];

function buildGuide() {
  if (!guided().length) return;
  const parts = guide.parts;
  const button = (text, does, given = {}) => element("button", { type: "button", class: "plain", onclick: does, ...given }, text);
  parts.back = button("Back", () => goStep(guide.at - 1));
  parts.next = button("Next", () => goStep(guide.at + 1), { class: "plain next" });
  parts.skip = button("Skip the steps", () => leaveGuide());
  parts.count = element("p", { class: "count" });
  parts.sentence = element("p", { class: "sentence" });
  parts.look = element("p", { class: "look" });
  document.getElementById("guide").append(
    element("div", { class: "inner" },
      element("div", { class: "words", "aria-live": "polite" }, parts.count, parts.sentence, parts.look),
      element("div", { class: "turns" }, parts.back, parts.next, parts.skip)),
  ); // prettier-ignore
  parts.open = document.getElementById("steps");
  parts.open.hidden = false;
  parts.open.addEventListener("click", () => (guide.at === null ? goStep(0) : leaveGuide()));
  on("moment", () => guide.at !== null && tellStep());
}

/** Go to a step: its moment, and its panel unless the page has just been opened. */
function goStep(at, scrolls = true) {
  if (at >= guided().length) {
    leaveGuide();
    return;
  }
  guide.at = Math.max(at, 0);
  if (player.playing) player.pause();
  const { epoch: moment, panel } = guided()[guide.at];
  change("moment", { at: nearest(clock, moment) });
  showGuide();
  if (scrolls) bringIntoView(panel);
  remember();
}

function leaveGuide() {
  guide.at = null;
  showGuide();
  guide.parts.open?.focus({ preventScroll: true });
  remember();
}

function showGuide() {
  const open = guide.at !== null;
  document.getElementById("guide").hidden = !open;
  document.body.dataset.guided = String(open);
  guide.parts.open?.setAttribute("aria-expanded", String(open));
  for (const { element: one } of groups) one.classList.remove("looked-at");
  if (!open) return;
  const { back, next, skip, count, sentence } = guide.parts;
  const { panel, claim, where } = guided()[guide.at];
  groupOf(panel)?.element.classList.add("looked-at");
  back.disabled = guide.at === 0;
  const last = guide.at === guided().length - 1;
  next.textContent = last ? "Done" : "Next";
  skip.hidden = last;
  count.textContent = `Step ${guide.at + 1} of ${guided().length} · ${facts.word} ${spaced(guided()[guide.at].epoch)}${where ? `, ${where}` : ""}`;
  sentence.textContent = `${claim}.`;
  tellStep();
}

/** What to look at, and what it shows at the moment; that changes when the reader moves on. */
function tellStep() {
  const group = groupOf(guided()[guide.at].panel);
  if (!group) return;
  const { title, note: text } = group.first.about;
  clearTimeout(tellStep.waiting);
  const tell = () => {
    guide.parts.look.replaceChildren(element("b", {}, `Look at “${title}”. `), group.first.say() || text);
  };
  tellStep.waiting = setTimeout(tell, group.first.built ? 150 : 500);
}

const groupOf = (name) => groups.find(({ first }) => first.about.name === name);

/** Scroll a panel to below the controls, at once where the reader wants no motion. */
function bringIntoView(name) {
  const group = groupOf(name);
  if (!group) return;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const bar = Math.max(document.querySelector(".time")?.getBoundingClientRect().height ?? 0, document.getElementById("controls").offsetHeight);
  window.scrollTo({ top: window.scrollY + group.element.getBoundingClientRect().top - bar - 16, behavior: still ? "auto" : "smooth" });
}
