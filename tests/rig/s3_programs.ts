/**
 * Promises to find the programs of a real S3 server on this machine, or to say how to get them.
 *
 * @module
 */

import { exists } from "@std/fs";
import { join } from "node:path";

/** Where else than on PATH distributions put them. */
const DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin"];

/** Debian's packages that have them all. */
const PACKAGES = "radosgw ceph-mon ceph-osd ceph-common";

const NAMES = {
  monitor: "ceph-mon",
  store: "ceph-osd",
  gateway: "radosgw",
  gatewayAdmin: "radosgw-admin",
  cluster: "ceph",
  monitorMap: "monmaptool",
  keys: "ceph-authtool",
} as const;

/** The paths of the programs of Ceph that make an S3 server. */
export type S3Programs = Readonly<Record<keyof typeof NAMES, string>>;

/** Which programs there are: all of them, or the sentence that says what is missing and how to get it. */
export type FoundS3Programs = { programs: S3Programs } | { missing: string };

/** Looks for the programs on PATH and in the usual directories. */
export function findS3Programs(): Promise<FoundS3Programs> {
  const onPath = (Deno.env.get("PATH") ?? "").split(":").filter(Boolean);
  return findS3ProgramsIn([...onPath, ...DIRECTORIES]);
}

/** As {@linkcode findS3Programs}, in these `directories`; the first one that has a program wins. */
export async function findS3ProgramsIn(directories: readonly string[]): Promise<FoundS3Programs> {
  const found: Partial<Record<keyof typeof NAMES, string>> = {};
  for (const [role, name] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
    const path = await findProgram(name, directories);
    if (path === null) return { missing: `needs ${name}: apt-get install ${PACKAGES}` };
    found[role] = path;
  }
  return { programs: found as S3Programs };
}

async function findProgram(name: string, directories: readonly string[]): Promise<string | null> {
  for (const directory of directories) {
    const path = join(directory, name);
    if (await exists(path, { isFile: true })) return path;
  }
  return null;
}
