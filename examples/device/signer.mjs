// How a till, scanner or screen signs its requests: docs/devices.md in JavaScript.
//
// WebCrypto only: works in browsers, Node 20, Deno and Bun. Sign with the server's clock: keep how
// far it is from yours, from `now` of the enrolment and of each heartbeat.

const utf8 = new TextEncoder();

// Make the device's own key. Its private half cannot be taken out: keep the pair in IndexedDB.
export const newKey = () => crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);

// What is told at enrolment as `public_key`: 43 characters.
export const publicKeyOf = async (pair) => {
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return base64(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

// The headers to send along. `query` comes without its question mark, `body` is a string or bytes,
// `created` is Unix time. `authorization` and `idempotencyKey` are the values of those headers,
// exactly as they are sent.
export async function sign(privateKey, request) {
  const { deviceId, method, path, query = "", authorization, body = "", idempotencyKey } = request;
  const created = request.created ?? Math.floor(Date.now() / 1000);
  const headers = {};
  const covered = [
    ["@method", method],
    ["@path", path],
    ["@query", `?${query}`],
    ["authorization", authorization],
  ];
  const bytes = typeof body === "string" ? utf8.encode(body) : body;
  if (bytes.length > 0) {
    headers["Content-Digest"] = `sha-256=:${base64(await crypto.subtle.digest("SHA-256", bytes))}:`;
    covered.push(["content-digest", headers["Content-Digest"]]);
  }
  if (idempotencyKey !== undefined) covered.push(["idempotency-key", idempotencyKey]);

  const names = covered.map(([name]) => `"${name}"`).join(" ");
  const parameters = `(${names});created=${created};keyid="${deviceId}";alg="ed25519"`;
  const lines = covered.map(([name, value]) => `"${name}": ${value}\n`).join("");
  const base = utf8.encode(`${lines}"@signature-params": ${parameters}`);

  const signature = await crypto.subtle.sign("Ed25519", privateKey, base);
  headers["Signature-Input"] = `sig1=${parameters}`;
  headers["Signature"] = `sig1=:${base64(signature)}:`;
  return headers;
}

const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
