// How a phone makes the codes it shows: docs/qr.md in JavaScript.
//
// WebCrypto only: works in browsers, Node 20, Deno and Bun. Use the server's time: keep how far it
// is from yours, from `issued_at` of the credential. Import a seed once and keep the key, which
// cannot be taken out again, in IndexedDB.

const STEP_S = 15;
const SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

// The step that a moment falls in; `unixTime` in seconds, by the server's clock.
export const stepAt = (unixTime) => Math.floor(unixTime / STEP_S);

// The key of a credential or a capsule, from its `seed` in hex.
export const keyOf = (seed) =>
  crypto.subtle.importKey("raw", fromHex(seed), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

// The text to show as a QR in this step; `credential` is the `id` in hex.
export const codeOf = async (credential, key, step) =>
  base45(await withMac(joined([1], fromHex(credential), fourBytes(step)), key, 15));

// The same of a capsule; `capsule` as it was given, in URL-safe Base64.
export const shownCapsule = async (capsule, key, step) =>
  base45(await withMac(joined(fromBase64(capsule), fourBytes(step)), key, 8));

async function withMac(signed, key, size) {
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed));
  return joined(signed, mac.subarray(0, size));
}

// As in RFC 9285: two bytes in three signs, a last one in two.
export function base45(raw) {
  let text = "";
  for (let at = 0; at < raw.length; at += 2) {
    const isPair = at + 1 < raw.length;
    let number = isPair ? raw[at] * 256 + raw[at + 1] : raw[at];
    for (let left = isPair ? 3 : 2; left > 0; left -= 1) {
      text += SIGNS[number % 45];
      number = Math.floor(number / 45);
    }
  }
  return text;
}

const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

const fourBytes = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);

const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
