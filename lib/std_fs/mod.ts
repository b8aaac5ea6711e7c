/**
 * Promises that the functions of `jsr:@std/fs` that this program calls are here when JSR cannot be reached:
 * the same names, signatures, results and errors as that package documents, and nothing that it does not have.
 *
 * @module
 */

export { ensureDir } from "./ensure_dir.ts";
export { exists, type ExistsOptions } from "./exists.ts";
export { walk, type WalkEntry, type WalkOptions } from "./walk.ts";
