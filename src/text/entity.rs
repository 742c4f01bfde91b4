//! Character references, `&laquo;` and `&#1575;`, as feeds and pages leave them in text.
//!
//! In: the name between `&` and `;`, in lower case. Out: the character.
//! Promise: only names that occur in news; an unknown one is nobody's character and stays as it is written.
//! Not here: where references stand in a text ([`super::normalize`]) and the full HTML table ([`crate::extract`]).

/// The longest reference that is looked for, with `&` and `;`: `&#x0000FEFF;` and a little more.
pub(super) const LONGEST: usize = 16;

/// The character that `&name;` stands for.
pub(super) fn character(name: &str) -> Option<char> {
    match name.strip_prefix('#') {
        Some(number) => numeric(number),
        None => named(name).or_else(|| accented(name)),
    }
}

fn numeric(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => u32::from_str_radix(hex, 16).ok()?,
        None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
        _ => return None,
    };
    match code {
        0 => None,
        // HTML reads these numbers, which are controls in Unicode, as windows-1252.
        0x80..=0x9F => WINDOWS_1252.get(code as usize - 0x80).copied(),
        _ => char::from_u32(code),
    }
}

const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" | "tab" => ' ',
        "newline" => '\n',
        "laquo" => '«',
        "raquo" => '»',
        "lsaquo" => '‹',
        "rsaquo" => '›',
        "ldquo" => '“',
        "rdquo" => '”',
        "bdquo" => '„',
        "lsquo" => '‘',
        "rsquo" => '’',
        "sbquo" => '‚',
        "ndash" => '–',
        "mdash" => '—',
        "hyphen" | "dash" => '-',
        "hellip" => '…',
        "middot" => '·',
        "bull" => '•',
        "prime" => '′',
        "deg" => '°',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "euro" => '€',
        "pound" => '£',
        "yen" => '¥',
        "cent" => '¢',
        "sect" => '§',
        "para" => '¶',
        "times" => '×',
        "divide" => '÷',
        "plusmn" => '±',
        "minus" => '−',
        "frac12" => '½',
        "frac14" => '¼',
        "frac34" => '¾',
        "sup1" => '¹',
        "sup2" => '²',
        "sup3" => '³',
        "iexcl" => '¡',
        "iquest" => '¿',
        "larr" => '←',
        "rarr" => '→',
        "aelig" => 'æ',
        "oelig" => 'œ',
        "oslash" => 'ø',
        "szlig" => 'ß',
        "shy" => '\u{AD}',
        "zwj" => '\u{200D}',
        "zwnj" => '\u{200C}',
        "lrm" => '\u{200E}',
        "rlm" => '\u{200F}',
        "semi" => ';',
        "colon" => ':',
        "comma" => ',',
        "period" => '.',
        "num" => '#',
        "lpar" => '(',
        "rpar" => ')',
        "sol" => '/',
        "percnt" | "percent" => '%',
        _ => return None,
    })
}

/// `&eacute;`: the letter alone, because normalization takes the accent off anyway.
fn accented(name: &str) -> Option<char> {
    const ACCENTS: [&str; 8] = ["acute", "grave", "circ", "uml", "tilde", "cedil", "ring", "caron"];
    let mut chars = name.chars();
    let letter = chars.next().filter(char::is_ascii_lowercase)?;
    ACCENTS.contains(&chars.as_str()).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_characters() {
        for (name, want) in [
            ("laquo", Some('«')),
            ("amp", Some('&')),
            ("#1575", Some('ا')),
            ("#x627", Some('ا')),
            ("#0039", Some('\'')),
            ("#146", Some('’')),
            ("eacute", Some('e')),
            ("#0", None),
            ("#xd800", None),
            ("#99999999999", None),
            ("#", None),
            ("#x", None),
            ("#+5", None),
            ("", None),
            ("acute", None),
            ("nosuch", None),
        ] {
            assert_eq!(character(name), want, "&{name};");
        }
    }
}
