/**
 * Runs `deno doc --lint` and passes over what it says of the types of packages: it takes these for private, since no file
 * of ours exports them, and a re-export would only move the complaint. All else it says is a fault.
 *
 *     deno run -P=check tests/rig/lint_docs.ts lib routes main.ts
 *
 * @module
 */

import { walk } from "@std/fs";

/** One complaint of `deno doc --lint`. */
export interface Complaint {
  /** Its rule, such as `missing-jsdoc`. */
  rule: string;
  /** What it says. */
  message: string;
  /** The file. */
  file: string;
  /** The line, from 1 on. */
  line: number;
}

/**
 * Reads what `deno doc --lint` has printed without colours.
 *
 * @throws {Error} If that is not as many complaints as it says itself: then its form has changed.
 */
export function readComplaints(output: string): Complaint[] {
  const pattern = /^error\[([\w-]+)\]: (.*)\n\s*--> (.*):(\d+):\d+$/gm;
  const complaints = [...output.matchAll(pattern)].map(([, rule, message, file, line]) => {
    return { rule: rule!, message: message!, file: file!, line: Number(line) };
  });
  const said = /^error: Found (\d+) documentation lint error/m.exec(output)?.[1] ?? "0";
  if (complaints.length === Number(said)) return complaints;
  throw new Error(`Cannot read what deno doc has printed: ${complaints.length} of ${said} complaints found`);
}

/**
 * Whether a complaint about a file with this `source` is about a type of a package: one that the file imports from there,
 * or the type of a schema, which is inferred from the call that makes it.
 */
export function isAboutPackage({ rule, message, line }: Complaint, source: string): boolean {
  if (rule === "missing-explicit-type") {
    const declared = source.split("\n")[line - 1] ?? "";
    return /^export const \w+Schema = v\./.test(declared) && importsFrom(source).has("v");
  }
  const name = /references private type '(\w+)'$/.exec(message)?.[1];
  if (rule !== "private-type-ref" || name === undefined) return false;
  const imported = importsFrom(source);
  if (imported.has(name)) return true;
  return [...imported].some((namespace) => new RegExp(`\\b${namespace}\\.${name}\\b`).test(source));
}

/** The names that a file imports from packages. */
function importsFrom(source: string): Set<string> {
  const names = new Set<string>();
  for (const [, clause] of source.matchAll(/^import (?:type )?([^;]*?) from "(?!\.|node:)[^"]+";$/gm)) {
    const namespace = /^\* as (\w+)$/.exec(clause!)?.[1];
    if (namespace !== undefined) names.add(namespace);
    for (const [, , name] of clause!.matchAll(/(\w+ as )?\b(?!type\b)(\w+)\s*(?=[,}])/g)) names.add(name!);
  }
  return names;
}

/** Lints the documentation of `files`; returns the complaints that are faults. */
export async function lintDocs(files: readonly string[]): Promise<Complaint[]> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...files],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = await command.output();
  const output = new TextDecoder().decode(stderr);
  const complaints = readComplaints(output);
  if (!success && complaints.length === 0) throw new Error(`Cannot lint the documentation: ${output}`);
  const faults: Complaint[] = [];
  for (const complaint of complaints) {
    const source = await Deno.readTextFile(complaint.file);
    if (!isAboutPackage(complaint, source)) faults.push(complaint);
  }
  return faults;
}

/** The TypeScript files that `paths` are, or that lie below them. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (path.endsWith(".ts")) files.push(path);
    else for await (const entry of walk(path, { exts: ["ts"], includeDirs: false })) files.push(entry.path);
  }
  return files.sort();
}

if (import.meta.main) {
  const faults = await lintDocs(await filesOf(Deno.args));
  // deno-lint-ignore no-console -- whoever checks reads it
  for (const { rule, message, file, line } of faults) console.error(`${file}:${line}: ${message} (${rule})`);
  if (faults.length > 0) Deno.exit(1);
}
