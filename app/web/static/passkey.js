// Passkeys: <button data-passkey="sign-in" data-card="..."> and <button data-passkey="add" data-csrf="...">, which are hidden
// until the browser is known to have them. What went wrong is said in the element [data-passkey-problem].

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (it) => it.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

async function post(path, body, csrf) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

async function add(button) {
  const options = await post("/me/passkeys/options", {}, button.dataset.csrf);
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = options.excludeCredentials.map((it) => ({ ...it, id: bytes(it.id) }));
  const made = await navigator.credentials.create({ publicKey: options });
  const credential = {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    },
  };
  return post("/me/passkeys", { credential }, button.dataset.csrf);
}

async function signIn(button) {
  const options = await post("/me/passkey/options", {});
  options.challenge = bytes(options.challenge);
  options.allowCredentials = [];
  const given = await navigator.credentials.get({ publicKey: options });
  const credential = {
    id: given.id,
    rawId: text(given.rawId),
    type: given.type,
    response: {
      clientDataJSON: text(given.response.clientDataJSON),
      authenticatorData: text(given.response.authenticatorData),
      signature: text(given.response.signature),
      userHandle: given.response.userHandle ? text(given.response.userHandle) : null,
    },
  };
  return post("/me/passkey", { credential, card: button.dataset.card ?? "" });
}

if (window.PublicKeyCredential) {
  for (const part of document.querySelectorAll("[data-passkey-part]")) part.hidden = false;
  for (const button of document.querySelectorAll("[data-passkey]")) {
    const problem = button.parentElement.querySelector("[data-passkey-problem]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.hidden = true;
      try {
        const { to } = await (button.dataset.passkey === "add" ? add(button) : signIn(button));
        location.assign(to);
      } catch {
        // Closed by its holder, no passkey on this phone, or one that is not known here: the page has the other way.
        problem.hidden = false;
        button.disabled = false;
      }
    });
  }
}
