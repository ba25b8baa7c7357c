//! Kafka's zigzag varints inside records: 7 bits a byte, least significant first; at most
//! 5 bytes for 32 bits and 10 for 64. As in Apache, bits beyond the width are dropped.

use crate::record::error::BatchError;

/// Takes a varint off the front of `rest`.
///
/// # Errors
/// `BatchError::RecordCutOff` at the end of input, `BatchError::Varint` after five bytes.
#[inline]
pub fn take_i32(rest: &mut &[u8]) -> Result<i32, BatchError> {
    if let [byte @ 0..=0x7F, tail @ ..] = *rest {
        *rest = tail;
        return Ok(unzigzag_i32(u32::from(*byte)));
    }
    let mut value = 0u32;
    for (index, byte) in rest.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Ok(unzigzag_i32(value));
        }
    }
    Err(unfinished(rest.len() < 5))
}

/// The varint that begins with these two bytes, and how many it takes, where two are enough.
#[inline]
#[must_use]
pub fn short_i32(low: u8, high: u8) -> Option<(i32, usize)> {
    if low <= 0x7F {
        return Some((unzigzag_i32(u32::from(low)), 1));
    }
    let value = u32::from(low & 0x7F) | u32::from(high) << 7;
    (high <= 0x7F).then(|| (unzigzag_i32(value), 2))
}

/// Takes a varlong off the front of `rest`.
///
/// # Errors
/// `BatchError::RecordCutOff` at the end of input, `BatchError::Varint` after ten bytes.
#[inline]
pub fn take_i64(rest: &mut &[u8]) -> Result<i64, BatchError> {
    if let [byte @ 0..=0x7F, tail @ ..] = *rest {
        *rest = tail;
        return Ok(unzigzag_i64(u64::from(*byte)));
    }
    let mut value = 0u64;
    for (index, byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Ok(unzigzag_i64(value));
        }
    }
    Err(unfinished(rest.len() < 10))
}

/// Takes an unsigned varint off the front of `rest`: lengths and counts of flexible messages.
///
/// # Errors
/// As `take_i32`.
pub fn take_u32(rest: &mut &[u8]) -> Result<u32, BatchError> {
    take_i32(rest).map(zigzag_i32)
}

/// Appends `value` as an unsigned varint.
pub fn put_u32(out: &mut Vec<u8>, value: u32) {
    put_unsigned(out, u64::from(value));
}

fn unfinished(cut_off: bool) -> BatchError {
    if cut_off {
        BatchError::RecordCutOff
    } else {
        BatchError::Varint
    }
}

/// Appends `value` as a varint.
pub fn put_i32(out: &mut Vec<u8>, value: i32) {
    put_unsigned(out, u64::from(zigzag_i32(value)));
}

/// Appends `value` as a varlong.
pub fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, zigzag_i64(value));
}

/// Bytes that `value` takes as a varint.
pub fn size_i32(value: i32) -> usize {
    size_unsigned(u64::from(zigzag_i32(value)))
}

/// Bytes that `value` takes as a varlong.
pub fn size_i64(value: i64) -> usize {
    size_unsigned(zigzag_i64(value))
}

fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7F).expect("seven bits fit in a byte");
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn size_unsigned(value: u64) -> usize {
    // Bits in use, at least one, in groups of seven.
    let bits = (64 - value.leading_zeros()).max(1);
    crate::base::convert::usize_from_u32(bits.div_ceil(7))
}

fn zigzag_i32(value: i32) -> u32 {
    (value << 1 ^ value >> 31).cast_unsigned()
}

fn zigzag_i64(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn unzigzag_i32(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

fn unzigzag_i64(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;

    #[test]
    fn reads_what_it_writes_and_knows_the_size() {
        let mut prng = Prng::new(1);
        for round in 0..20_000u64 {
            let wide = prng.next().cast_signed() >> (round % 64);
            let mut out = Vec::new();
            put_i64(&mut out, wide);
            assert_eq!(out.len(), size_i64(wide));
            assert_eq!(take_i64(&mut out.as_slice()), Ok(wide));
            let narrow = i32::try_from(wide >> 32).expect("the upper half");
            let narrow = narrow >> (round % 32);
            let mut out = Vec::new();
            put_i32(&mut out, narrow);
            assert_eq!(out.len(), size_i32(narrow));
            assert_eq!(take_i32(&mut out.as_slice()), Ok(narrow));
        }
    }

    #[test]
    fn extremes_take_five_and_ten_bytes() {
        for value in [i32::MIN, i32::MAX] {
            assert_eq!(size_i32(value), 5);
        }
        for value in [i64::MIN, i64::MAX] {
            assert_eq!(size_i64(value), 10);
        }
        assert_eq!(size_i32(0), 1);
        assert_eq!(size_i32(-64), 1);
        assert_eq!(size_i32(64), 2);
    }

    #[test]
    fn refuses_what_does_not_end() {
        let endless = [0xFF; 32];
        assert_eq!(take_i32(&mut &endless[..]), Err(BatchError::Varint));
        assert_eq!(take_i64(&mut &endless[..]), Err(BatchError::Varint));
        assert_eq!(take_i32(&mut &endless[..4]), Err(BatchError::RecordCutOff));
        assert_eq!(take_i64(&mut &endless[..9]), Err(BatchError::RecordCutOff));
        assert_eq!(take_i32(&mut &[][..]), Err(BatchError::RecordCutOff));
    }
}
