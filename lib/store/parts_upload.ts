/**
 * Promises an object that is written in parts: it is there, with all of them, when the upload is completed, and not before.
 *
 * @module
 */

import { answerError, errorCode } from "./bucket_answer.ts";
import type { BucketAnswer, BucketConnection, BucketRequest } from "./bucket_connection.ts";
import { BucketError, isBucketFailure } from "./bucket_error.ts";
import { readXml, textOf, xmlText } from "./bucket_xml.ts";
import { digestOf, partsETag } from "./object_digest.ts";
import { bareETag, checkDigest, saidDigest } from "./stored_object.ts";

/** What all requests of an upload have in common. */
export type UploadRequest = Pick<BucketRequest, "verb" | "limitBytes" | "signal"> & { key: string };

/** One upload in parts. */
export class PartsUpload {
  readonly #connection: BucketConnection;
  readonly #request: UploadRequest;
  readonly #etags: string[] = [];
  readonly #md5s: string[] = [];
  /** What the bucket knows the upload by. */
  readonly uploadId: string;

  private constructor(connection: BucketConnection, request: UploadRequest, uploadId: string) {
    this.#connection = connection;
    this.#request = request;
    this.uploadId = uploadId;
  }

  /**
   * Begins an upload.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  static async begin(
    connection: BucketConnection,
    request: UploadRequest,
    contentType: string | undefined,
  ): Promise<PartsUpload> {
    const headers = contentType === undefined ? undefined : { "content-type": contentType };
    const uploadId = await connection.ask(
      { method: "POST", query: { uploads: "" }, headers, ...request },
      ({ body }) => {
        const result = readXml(new TextDecoder().decode(body));
        const uploadId = result?.name === "InitiateMultipartUploadResult" ? textOf(result, "UploadId") : null;
        if (uploadId !== null) return uploadId;
        throw new BucketError(
          "refused",
          `Cannot ${request.verb}: the server has not said which upload it has begun`,
        );
      },
    );
    return new PartsUpload(connection, request, uploadId);
  }

  /** What the ETag of the whole object will be. */
  get etag(): string {
    return partsETag(this.#md5s);
  }

  /**
   * Sends the next part.
   *
   * @throws {BucketError} `broken` if the server says that it has other bytes; and as {@linkcode BucketConnection.ask}.
   */
  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const digest = await digestOf(bytes);
    const query = { partNumber: String(this.#etags.length + 1), uploadId: this.uploadId };
    const headers = { "content-md5": Uint8Array.fromHex(digest.md5).toBase64() };
    const etag = await this.#connection.ask(
      { method: "PUT", query, headers, body: { bytes, digest }, ...this.#request },
      ({ headers }) => {
        const said = saidDigest(headers);
        checkDigest(said, digest.md5, `Cannot ${this.#request.verb}`);
        return said.etag;
      },
    );
    this.#etags.push(etag);
    this.#md5s.push(digest.md5);
  }

  /**
   * Makes the object of the parts that were sent. An upload that is not there any more was completed by an attempt whose answer was lost, or
   * was aborted: which of them, only the object tells.
   *
   * @throws {BucketError} As {@linkcode BucketConnection.ask}.
   */
  async complete(): Promise<void> {
    const parts = this.#etags.map((etag, number) =>
      `<Part><PartNumber>${number + 1}</PartNumber><ETag>${xmlText(`"${etag}"`)}</ETag></Part>`
    );
    const xml = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const bytes = new TextEncoder().encode(xml);
    const body = { bytes, digest: await digestOf(bytes) };
    const query = { uploadId: this.uploadId };
    const headers = { "content-type": "application/xml" };
    try {
      await this.#connection.ask(
        { method: "POST", query, headers, body, ...this.#request },
        (answer) => this.#checkCompletion(answer),
      );
    } catch (error) {
      if (!isBucketFailure(error, "missing")) throw error;
    }
  }

  #checkCompletion({ status, headers, body }: BucketAnswer): void {
    const what = `Cannot ${this.#request.verb}`;
    if (errorCode(body) !== null) throw answerError({ what, status, headers, body, nowMs: 0 });
    const result = readXml(new TextDecoder().decode(body));
    if (result?.name !== "CompleteMultipartUploadResult") {
      throw new BucketError("down", `${what}: the server has not said that it is complete; try again later`);
    }
    const said = { ...saidDigest(headers), etag: bareETag(textOf(result, "ETag")) };
    checkDigest(said, this.etag, what);
  }
}
