/**
 * Promises a server certificate that is valid for this machine's loopback addresses and for a day, and that
 * nobody trusts but who is given its authority.
 *
 * @module
 */

import { join } from "node:path";

/** Where {@linkcode makeCertificate} has put things, and what a client has to trust. */
export interface Certificate {
  /** The path of the server's certificate, PEM. */
  certificateFile: string;
  /** The path of the server's private key, PEM. */
  keyFile: string;
  /** The certificate of the authority that signed it, PEM. */
  caCertificate: string;
}

/**
 * Makes a throwaway authority and a certificate of it for `localhost`, `127.0.0.1` and `::1`, with openssl,
 * as files in `directory`.
 *
 * @throws {Error} If openssl is missing or fails.
 */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  // An end-entity certificate must not say that it is an authority: rustls refuses one that does.
  await Deno.writeTextFile(
    join(directory, "extensions"),
    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n",
  );
  await openssl(
    directory,
    [
      "req",
      "-x509",
      "-days",
      "1",
      ...key,
      "-subj",
      "/CN=Flightlog test authority",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
    ],
  );
  await openssl(directory, [
    "req",
    "-new",
    ...key,
    "-subj",
    "/CN=localhost",
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
  ]);
  await openssl(
    directory,
    [
      "x509",
      "-req",
      "-days",
      "1",
      "-in",
      "server.csr",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
    ].concat(
      ["-extfile", "extensions", "-out", "server.pem"],
    ),
  );
  return {
    certificateFile: join(directory, "server.pem"),
    keyFile: join(directory, "server.key"),
    caCertificate: await Deno.readTextFile(join(directory, "ca.pem")),
  };
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd, stdin: "null", stdout: "null" })
    .output();
  if (!success) throw new Error(`Cannot run "openssl ${args[0]}": ${new TextDecoder().decode(stderr)}`);
}
