// The card tray: sends taps, and shows where the cards are. The server's state is the only truth; this page draws it.

const LOOK_MS = 500; // A tap lasts 1.2 s: one made by a script is seen here too.

const body = document.body;
const reader = document.getElementById("reader");
const status = document.getElementById("status");
const hold = document.getElementById("hold");
const removeButton = document.getElementById("remove");
const lost = document.getElementById("lost");
const search = document.getElementById("search");
const cards = [...document.querySelectorAll(".plastic")];

let state = { fields: [] };
let asked = 0;

const chosenField = () => document.querySelector("input[name=field]:checked").value;

async function ask(path, message) {
  asked += 1;
  const turn = asked;
  const options = message && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(message),
  };
  try {
    const answer = await fetch(path, options);
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const news = await answer.json();
    lost.hidden = true;
    // A look that was sent before a tap may come back after it, and would show the past.
    if (turn === asked) draw(news);
  } catch (error) {
    console.warn(error);
    lost.hidden = false;
  }
}

function draw(news) {
  state = news;
  const field = state.fields.find((each) => each.name === chosenField());
  const card = field?.card ?? null;
  const text = card ? card.label : body.dataset.empty;
  if (status.textContent !== text) status.textContent = text;
  reader.toggleAttribute("data-occupied", card !== null);
  removeButton.disabled = card === null;
  reader.style.removeProperty("--card-tone");
  for (const button of cards) {
    const lies = state.fields.find((each) => each.card?.uid === button.dataset.uid);
    button.setAttribute("aria-pressed", String(lies !== undefined));
    if (lies && state.fields.length > 1) button.querySelector(".plastic-where").textContent = lies.name;
    if (card?.uid === button.dataset.uid) {
      reader.style.setProperty("--card-tone", getComputedStyle(button).getPropertyValue("--card-tone"));
    }
  }
  // A card that leaves by itself is shown leaving in time, not at the next look.
  if (card && field.leaves_in_s !== null) setTimeout(look, field.leaves_in_s * 1000 + 30);
}

const look = () => ask("/api/state");
const takeBack = () => ask("/api/remove", { field: chosenField() });

for (const button of cards) {
  button.addEventListener("click", () => {
    const forS = hold.checked ? null : Number(body.dataset.tapS);
    const field = state.fields.find((each) => each.name === chosenField());
    if (hold.checked && field?.card?.uid === button.dataset.uid) takeBack();
    else ask("/api/present", { field: chosenField(), uid: button.dataset.uid, for_s: forS });
  });
}

removeButton.addEventListener("click", takeBack);
document.querySelectorAll("input[name=field]").forEach((each) => each.addEventListener("change", () => draw(state)));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") takeBack(); // Even before the card lies there: the hand may still be waiting.
});

search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLocaleLowerCase();
  let shown = 0;
  for (const place of document.querySelectorAll(".cards > li")) {
    place.hidden = !place.dataset.text.toLocaleLowerCase().includes(wanted);
    shown += place.hidden ? 0 : 1;
  }
  document.getElementById("no-match").hidden = shown > 0;
});

look();
setInterval(() => {
  if (!document.hidden) look();
}, LOOK_MS);
