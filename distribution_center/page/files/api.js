// The center's verbs, as the page says them.

const TOKEN = document.querySelector('meta[name="page-token"]').content;
export const TOKEN_HEADERS = { "Page-Token": TOKEN };

// `{ answer }`, or `{ refused: a sentence }`.
export async function say(verb, message, { signal } = {}) {
  try {
    const response = await fetch(`/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID(), ...TOKEN_HEADERS },
      body: JSON.stringify(message),
      signal,
    });
    if (response.ok) return { answer: await response.json() };
    return { refused: sentenceOf(response.headers.get("Content-Type") ?? "", await response.text()) };
  } catch (error) {
    if (error.name === "AbortError") return { refused: "" };
    return { refused: "The center does not answer; whether it was done is not known." };
  }
}

export function sentenceOf(contentType, text) {
  if (!contentType.startsWith("application/json")) return text.trim() || "The center has refused it.";
  const refused = JSON.parse(text);
  const state = refused.state ? ` (it is ${refused.state})` : "";
  return upper(`${refused.detail || refused.reason.replaceAll("_", " ")}${state}`);
}

const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
