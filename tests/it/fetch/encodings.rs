//! What a body is packed in: content encodings, and files that are gzip themselves.

use super::*;

const TEXT: &str = "خبر من المدينة القديمة";

/// Bytes as a brotli stream that packs nothing: a window, one block of `bytes` as they are, and the end (RFC 7932, 9.2).
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let head = (u32::try_from(bytes.len()).unwrap() - 1) << 4 | 1 << 20;
    [&head.to_le_bytes()[..3], bytes, &[3]].concat()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

#[tokio::test]
async fn every_content_encoding_is_undone() {
    let text = TEXT.as_bytes();
    let packed = gzip(text, 1);
    for (said, body) in [
        ("", text.to_vec()),
        ("Content-Encoding: identity\r\n", text.to_vec()),
        ("Content-Encoding: gzip\r\n", packed.clone()),
        ("Content-Encoding: deflate\r\n", deflate(text)),
        ("Content-Encoding: br\r\n", brotli(text)),
        ("Content-Encoding: zstd\r\n", zstd(text)),
        // Files that are packed themselves, and servers that pack what is packed already, or do not say so.
        ("Content-Type: application/gzip\r\n", packed.clone()),
        ("Content-Type: text/xml\r\n", packed.clone()),
        ("Content-Encoding: gzip\r\n", gzip(&packed, 1)),
        ("Content-Encoding: gzip, gzip\r\n", gzip(&packed, 1)),
        ("Content-Encoding: br\r\n", brotli(&packed)),
    ] {
        let server = Server::start(vec![("/feed", vec![raw("200 OK", said, &body)])]).await;
        let document = document(get(server.url("/feed")).await);
        assert_eq!((document.bytes.as_slice(), document.cut), (text, None), "{said}");
        let accepted = server.asked()[0].headers["accept-encoding"].clone();
        assert!(["gzip", "br", "zstd", "deflate"].iter().all(|one| accepted.contains(one)), "{accepted}");
    }
}

#[tokio::test]
async fn t22_what_is_counted_is_what_comes_out() {
    let huge = vec![b'a'; 20 << 20];
    let small = FetchConfig { max_body: ByteSize::mib(1), ..config() };
    for (said, body) in [
        ("Content-Encoding: gzip\r\n", gzip(&huge, 1)),
        ("Content-Encoding: deflate\r\n", deflate(&huge)),
        ("Content-Encoding: zstd\r\n", zstd(&huge)),
        ("Content-Type: application/gzip\r\n", gzip(&huge, 1)),
        ("Content-Encoding: zstd\r\nETag: \"1\"\r\n", zstd(&gzip(&huge, 1))),
    ] {
        let server = Server::start(vec![("/bomb", vec![raw("200 OK", said, &body)])]).await;
        let cut = document(get_with(&small, server.url("/bomb")).await);
        assert_eq!(cut.bytes.len(), 1 << 20, "{said}");
        assert!(cut.cut.unwrap().contains("1MiB") && cut.validators.is_empty(), "{said}");
    }
}

#[tokio::test]
async fn a_gzip_file_that_is_damaged_or_cut_gives_what_it_has() {
    // Hardly to be packed, so that half of the file is half of the text.
    let text: String = (0..20_000u32).map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761))).collect();
    let packed = gzip(text.as_bytes(), 1);
    let half = &packed[..packed.len() / 2];
    let broken = Send([b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\nETag: \"1\"\r\n\r\n", half].concat());
    let server = Server::start(vec![
        ("/cut", vec![raw("200 OK", "ETag: \"1\"\r\n", half)]),
        ("/broken", vec![broken]),
        ("/nothing", vec![raw("200 OK", "", &packed[..12])]),
    ])
    .await;
    for (path, why) in [("/cut", "the gzip file is damaged or cut"), ("/broken", "connection ended early")] {
        let document = document(get(server.url(path)).await);
        assert!(document.bytes.len() > text.len() / 3 && text.as_bytes().starts_with(&document.bytes), "{path}");
        assert!(document.cut.unwrap().starts_with(why) && document.validators.is_empty(), "{path}");
    }
    assert_eq!(kind(get(server.url("/nothing")).await), "body");
}
