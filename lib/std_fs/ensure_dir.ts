/**
 * Promises that a directory is there.
 *
 * @module
 */

/**
 * Makes the directory `dir` and those above it, unless it exists already; a symlink to a directory counts as
 * one. Needs permission to read and to write. See https://jsr.io/@std/fs/doc/ensure-dir.
 *
 * @throws {Error} If something else than a directory has that name.
 * @throws {Deno.errors.PermissionDenied} If the directory may not be made, and whatever else `Deno.mkdir` throws.
 */
export async function ensureDir(dir: string | URL): Promise<void> {
  const before = await statOrNull(dir);
  if (before !== null) return assertDirectory(before);
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    // Somebody else made it between the look and the making: what counts is what stands there now.
    assertDirectory(await Deno.stat(dir));
  }
}

async function statOrNull(path: string | URL): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

// The wording is that of the original, because callers may show it.
function assertDirectory(info: Deno.FileInfo): void {
  if (info.isDirectory) return;
  throw new Error(
    `Failed to ensure directory exists: expected 'dir', got '${info.isFile ? "file" : undefined}'`,
  );
}
