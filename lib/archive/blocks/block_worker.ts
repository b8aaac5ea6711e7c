/**
 * The worker that makes gzip blocks, seals days and verifies them, away from the thread that records. It
 * gives way to that thread: on a machine of one core recording comes first and blocks get what is left.
 *
 * @module
 */

import os from "node:os";
import { runBlockTask } from "./block_task.ts";
import { serveWorker } from "../worker_client.ts";

/** Linux gives each thread a nice value of its own, and pid 0 means the calling thread (man setpriority). */
const NICE = 10;

os.setPriority(0, NICE);
serveWorker(runBlockTask);
