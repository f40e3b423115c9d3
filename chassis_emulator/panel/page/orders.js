// Orders go out one by one; the answer is a notice.

const TOKEN = document.querySelector('meta[name="panel-token"]').content;
export const CONTROL = document.querySelector('meta[name="panel-control"]').content === "allowed";

// The sentence of a refusal; "" when it was done.
export async function sendOrder(action) {
  try {
    const response = await fetch("/act", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Panel-Token": TOKEN, "Idempotency-Key": crypto.randomUUID() },
      body: JSON.stringify({ action }),
    });
    return response.ok ? "" : await sentenceOf(response);
  } catch {
    return "The emulator does not answer; whether it was done is not known.";
  }
}

async function sentenceOf(response) {
  if (!response.headers.get("Content-Type")?.startsWith("application/json")) return (await response.text()).trim();
  const refused = await response.json();
  return refused.detail || refused.reason.replaceAll("_", " ");
}
