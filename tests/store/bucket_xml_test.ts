import assert from "node:assert/strict";
import { childrenOf, readXml, textOf, xmlText } from "../../lib/store/bucket_xml.ts";

Deno.test("readXml() reads a list as S3 writes it", () => {
  const list = readXml(
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
      `<Name>logs</Name><Prefix/><Contents><Key>a</Key><ETag>&quot;12&quot;</ETag></Contents>` +
      `<Contents><Key>b &amp; c</Key><ETag>&#34;34&#x22;</ETag></Contents></ListBucketResult>\n`,
  )!;
  assert.equal(list.name, "ListBucketResult");
  const contents = childrenOf(list, "Contents");
  assert.deepEqual(contents.map((one) => textOf(one, "Key")), ["a", "b & c"]);
  assert.deepEqual(contents.map((one) => textOf(one, "ETag")), ['"12"', '"34"']);
  assert.deepEqual([textOf(list, "Prefix"), textOf(list, "Marker"), textOf(list, "Contents")], [
    "",
    null,
    null,
  ]);
});

for (
  const xml of [
    "",
    "no XML",
    "<a>",
    "</a>",
    "<a></b>",
    "<a><b></a></b>",
    "<a/><b/>",
    "<a/>text",
    "<a>&unknown;</a>",
    "<a>& b</a>",
    "<a>&#x110000;</a>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    "<a".repeat(100),
    "<a>".repeat(17) + "</a>".repeat(17),
  ]
) {
  Deno.test(`readXml() takes ${JSON.stringify(xml.slice(0, 40))} for no answer`, () => {
    assert.equal(readXml(xml), null);
  });
}

Deno.test("xmlText() makes text that readXml() gives back", () => {
  const text = `<a> & "b" 'c'`;
  assert.equal(readXml(`<a>${xmlText(text)}</a>`)?.text, text);
});
