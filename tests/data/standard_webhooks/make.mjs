// Makes vectors.json: `node make.mjs > vectors.json` in tests/data/standard_webhooks, after `npm ci` in
// tests/conformance. v1 is made by the npm package standardwebhooks, v1a by node:crypto.
import { createHash, createPrivateKey, sign } from "node:crypto";
import { createRequire } from "node:module";
const require = createRequire(new URL("../../conformance/package.json", import.meta.url));
const { Webhook } = require("standardwebhooks");

const bytes = (name) => createHash("sha256").update(name).digest();
const pkcs8 = (seed) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
    format: "der",
    type: "pkcs8",
  });
const secret = (name) => ({
  hmac_key: bytes(name + " hmac"),
  ed25519_seed: bytes(name + " ed25519"),
});
const v1 = (key, id, timestamp, body) =>
  new Webhook(key.toString("base64")).sign(id, new Date(timestamp * 1000), body);
const v1a = (seed, id, timestamp, body) =>
  "v1a," + sign(null, Buffer.from(`${id}.${timestamp}.${body}`), pkcs8(seed)).toString("base64");

const id = "0190a6e0-2222-4000-8000-000000000002";
const timestamp = 1709431920;
const current = secret("current");
const previous = secret("previous");
const bodies = ["", "{}", '{"text":"\u00e4 \u2603","n":1.50e1 }', "x".repeat(1000)];
const vectors = [];
for (const body of bodies) {
  for (const kinds of [["hmac"], ["ed25519"], ["hmac", "ed25519"]]) {
    for (const secrets of [[current], [current, previous]]) {
      const signatures = secrets.flatMap((one) => [
        ...(kinds.includes("hmac") ? [v1(one.hmac_key, id, timestamp, body)] : []),
        ...(kinds.includes("ed25519") ? [v1a(one.ed25519_seed, id, timestamp, body)] : []),
      ]);
      vectors.push({
        id,
        timestamp,
        body,
        kinds,
        secrets: secrets.map((one) => ({
          hmac_key: one.hmac_key.toString("hex"),
          ed25519_seed: one.ed25519_seed.toString("hex"),
        })),
        signature: signatures.join(" "),
      });
    }
  }
}
console.log(JSON.stringify(vectors, null, 1));
