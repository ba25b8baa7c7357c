//! The checksum of a batch: CRC-32C (Castagnoli), by the processor's own instruction where it
//! has one. Named once, so that another implementation can take its place.

/// CRC-32C of `bytes`.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_castagnolis_polynomial() {
        // The check value of CRC-32C in the catalogue of parametrised CRC algorithms; RFC 3720.
        assert_eq!(super::crc32c(b"123456789"), 0xE306_9283);
    }
}
