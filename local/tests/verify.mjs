// Verifies a webhook with the official standardwebhooks package: JSON {secret, headers, body} on standard input.
import { Webhook } from "standardwebhooks";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { secret, headers, body } = JSON.parse(input);
new Webhook(secret).verify(body, headers);
