//! What happens to a story on its way from one outlet to another.
//!
//! In: the paragraphs of the first telling. Out: those of the copy.

/// How a copy differs from the first telling, apart from its headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Word for word.
    AsIs,
    /// Only the first so many paragraphs.
    Cut(usize),
    /// The paragraphs in another order.
    Reorder,
    /// A dateline before it, an agency's signature and a share line after it.
    Boilerplate,
    /// Other spellings: vowel marks, tatweel, other quotation marks, ى for ي, Arabic-Indic digits.
    Spelling,
}

impl Change {
    pub(super) fn apply(self, outlet: &str, paragraphs: &[&str]) -> Vec<String> {
        let mut told: Vec<String> = paragraphs.iter().map(|paragraph| (*paragraph).to_owned()).collect();
        match self {
            Self::AsIs => {}
            Self::Cut(count) => told.truncate(count),
            Self::Reorder => {
                if told.len() > 2 {
                    let second = told.remove(1);
                    told.push(second);
                }
            }
            Self::Boilerplate => {
                if let Some(first) = told.first_mut() {
                    *first = format!("{outlet} – وكالات: {first}");
                }
                told.push(format!("إعداد: قسم الأخبار في {outlet}. تابعونا على منصات التواصل لمعرفة آخر المستجدات."));
            }
            Self::Spelling => told.iter_mut().for_each(|paragraph| *paragraph = respell(paragraph)),
        }
        told
    }
}

fn respell(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut opened = false;
    for (index, letter) in text.chars().enumerate() {
        match letter {
            '"' => {
                opened = !opened;
                out.push(if opened { '«' } else { '»' });
            }
            '0'..='9' => out.push(char::from_u32(u32::from(letter) - u32::from('0') + 0x660).unwrap_or(letter)),
            'أ' if index % 3 == 0 => out.push('ا'),
            'م' if index % 7 == 0 => out.push_str("مـ"),
            'ل' if index % 5 == 0 => out.push_str("لَ"),
            _ => out.push(letter),
        }
    }
    // A final ya without its dots, as many keyboards give it.
    out.replace("ي ", "ى ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_respelled_text_reads_the_same_to_the_normalizer() {
        let text = "قال \"المتحدث\" إن 26 شخصا أصيبوا في مستشفى قريب من المدينة أول أمس";
        let respelled = respell(text);
        assert_ne!(respelled, text);
        let words = |text: &str| crate::text::tokenize::Words::of(text).iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&respelled), words(text));
    }
}
