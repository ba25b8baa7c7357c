//! Tests of the codecs: round trips, forms that other clients write, damage, and bombs.

use super::*;
use crate::base::prng::Prng;

const CODECS: [Compression; 4] = [
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

/// Bytes that compress somewhat: words drawn from a few.
fn text(prng: &mut Prng, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        let word = prng.below(200).to_le_bytes();
        out.extend_from_slice(&word[..1 + prng.index(8)]);
    }
    out.truncate(bytes);
    out
}

fn packed(codec: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, None, bytes, &mut out);
    out
}

#[test]
fn opens_what_it_packed_and_not_a_byte_more() {
    let mut prng = Prng::new(6);
    for size in [0, 1, 100, 32_768, 32_769, 65_536, 65_537, 300_000] {
        let bytes = text(&mut prng, size);
        for codec in CODECS {
            let small = packed(codec, &bytes);
            assert_eq!(decompress(codec, &small, size).as_deref(), Ok(&bytes[..]));
            if let Some(limit) = size.checked_sub(1) {
                let error = BatchError::TooLargeOpened { limit };
                assert_eq!(
                    decompress(codec, &small, limit),
                    Err(error),
                    "{codec} {size}"
                );
            }
        }
    }
}

#[test]
fn every_level_opens() {
    let bytes = text(&mut Prng::new(7), 5_000);
    for level in [i32::MIN, -1, 0, 1, 9, 22, i32::MAX] {
        for codec in Compression::ALL {
            let mut small = Vec::new();
            // The largest zstd levels take hundreds of megabytes for their tables.
            compress(codec, Some(level.min(9)), &bytes, &mut small);
            assert_eq!(decompress(codec, &small, 5_000).as_deref(), Ok(&bytes[..]));
        }
    }
}

#[test]
fn reads_the_forms_of_other_clients() {
    let bytes = text(&mut Prng::new(8), 200_000);
    let raw = snap::raw::Encoder::new()
        .compress_vec(&bytes)
        .expect("it fits");
    let opened = decompress(Compression::Snappy, &raw, 200_000);
    assert_eq!(opened.as_deref(), Ok(&bytes[..]), "one raw snappy block");

    let twice = [bytes.as_slice(), bytes.as_slice()].concat();
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Zstd] {
        let small = packed(codec, &bytes).repeat(2);
        let opened = decompress(codec, &small, 400_000);
        assert_eq!(opened.as_deref(), Ok(&twice[..]), "two {codec} streams");
    }

    let frame = FrameInfo::new()
        .block_size(BlockSize::Max256KB)
        .block_mode(BlockMode::Linked)
        .block_checksums(true)
        .content_checksum(true)
        .content_size(Some(200_000));
    let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
    encoder.write_all(&bytes).expect("memory takes every byte");
    let linked = encoder.finish().expect("memory takes every byte");
    let opened = decompress(Compression::Lz4, &linked, 200_000);
    assert_eq!(opened.as_deref(), Ok(&bytes[..]), "linked lz4 blocks");
}

#[test]
fn lz4_frames_are_those_of_apache() {
    // Magic, FLG: version 1, independent blocks; BD: 64 KiB; end mark without a checksum.
    let frame = packed(Compression::Lz4, b"abc");
    assert_eq!(frame[..6], [0x04, 0x22, 0x4D, 0x18, 0x60, 0x40]);
    assert_eq!(frame[frame.len() - 4..], [0; 4]);
}

#[test]
fn bombs_cost_their_limit() {
    let zeros = vec![0; 64 << 20];
    for codec in CODECS {
        let bomb = packed(codec, &zeros);
        let limit = 10_000;
        let mut out = Vec::new();
        let result = decompress_into(codec, &bomb, limit, &mut out);
        assert_eq!(result, Err(BatchError::TooLargeOpened { limit }), "{codec}");
        assert!(out.capacity() < 8 * limit, "{codec}: {}", out.capacity());
    }
    // A raw snappy block that announces 4 GiB, within a huge limit.
    let claim = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0];
    let mut out = Vec::new();
    let result = decompress_into(Compression::Snappy, &claim, usize::MAX / 2, &mut out);
    assert!(result.is_err());
    assert_eq!(out.capacity(), 0);
}

#[test]
fn damage_never_panics() {
    let mut prng = Prng::new(9);
    for codec in CODECS {
        for round in 0..400 {
            let bytes = text(&mut prng, round * 20);
            let mut small = packed(codec, &bytes);
            match prng.index(4) {
                0 => small.truncate(prng.index(small.len())),
                1 => prng.fill(&mut small),
                2 => {
                    let from = prng.index(small.len());
                    prng.fill(&mut small[from..]);
                }
                _ => {
                    let at = prng.index(small.len());
                    small[at] ^= 1 << prng.index(8);
                }
            }
            if let Ok(opened) = decompress(codec, &small, 100_000) {
                assert!(opened.len() <= 100_000);
            }
        }
    }
}
