// A form whose code is good once is sent once, however often its button is pressed.

for (const form of document.querySelectorAll("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
}

// Back on the page, by the browser's own way back: it may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
