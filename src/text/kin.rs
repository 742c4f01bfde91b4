//! Words that belong together though no ending tells, and words whose first or last letters are their own.
//!
//! In: stems. Out: the stems of their kin: broken plurals, countries and their peoples, other spellings of a name.
//! Promise: kinship goes both ways; the table is in plain words, and stems are made of it by the one rule of [`super::forms`].
//! Not here: synonyms. What means the same in other words is for whoever asks.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::forms::stem;
use super::normalize::normalize;

/// The kin of a stem, itself left out.
pub(super) fn of(stem: &str) -> &'static [String] {
    KIN.get(stem).map_or(&[], Vec::as_slice)
}

/// Whether the first letter of a normalized word is its own, though it could stand before it.
pub(super) fn begins_so(word: &str) -> bool {
    // Asked of every word that begins with such a letter.
    static SORTED: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut sorted = BEGIN_SO.to_vec();
        sorted.sort_unstable();
        sorted
    });
    SORTED.binary_search(&stem(word)).is_ok()
}

/// Whether the last two letters of a normalized word are its own, though they could be an ending.
pub(super) fn ends_so(word: &str) -> bool {
    END_SO.contains(&word)
}

static KIN: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut kin: HashMap<String, Vec<String>> = HashMap::new();
    for line in FAMILIES.lines() {
        let mut stems: Vec<String> = Vec::new();
        for word in line.split_whitespace() {
            let stem = stem(&normalize(word)).to_owned();
            if !stems.contains(&stem) {
                stems.push(stem);
            }
        }
        for one in &stems {
            let others = kin.entry(one.clone()).or_default();
            for other in stems.iter().filter(|other| *other != one) {
                if !others.contains(other) {
                    others.push(other.clone());
                }
            }
        }
    }
    kin
});

/// A family a line, without articles; what an ending tells (دولة, دول) needs no line.
const FAMILIES: &str = "
كازاخستان كازاخ كازاخي
أوزبكستان أوزبك أوزبكي
طاجيكستان طاجيك طاجيكي
قرغيزستان قيرغيزستان قرغيز قيرغيزي
تركمانستان تركمان تركماني
أفغانستان أفغان أفغاني
أميركا أمريكا أميركي أمريكي أميركيين أمريكيين
غزة غزاوي
إنجلترا إنكلترا إنجليزي إنكليزي
طهران تهران
أنقرة أنكرة
هونغ هونج
غوغل جوجل
بوتين بوتن
ترامب ترمب
نتنياهو نتانياهو
فيسبوك فايسبوك
يوتيوب يوتوب
إنترنت انترنيت
تلفزيون تلفاز
مليون ملايين
رئيس رؤساء
وزير وزراء
سفير سفراء
خبير خبراء
زعيم زعماء
أمير أمراء
مدير مدراء
شريك شركاء
عضو أعضاء
حزب أحزاب
نائب نواب
قائد قادة
جندي جنود
جيش جيوش
حرب حروب
قوة قوات قوى
سلاح أسلحة
صاروخ صواريخ
قنبلة قنابل
لغم ألغام
قتيل قتلى
جريح جرحى
مريض مرضى
مرض أمراض
طبيب أطباء
دواء أدوية
ضحية ضحايا
شهيد شهداء
أسير أسرى
سجين سجناء
سجن سجون
لص لصوص
قاض قضاة قاضي
قانون قوانين
حكم أحكام
حق حقوق
حاكم حكام
ملك ملوك
شعب شعوب
حد حدود
طالب طلاب طلبة
مدرسة مدارس
كتاب كتب
كاتب كتاب
فيلم أفلام
أغنية أغاني أغنيات
نجم نجوم
هدف أهداف
نادي أندية ناد
فريق فرق
كأس كؤوس
بطل أبطال
حكم حكام
سوق أسواق
سعر أسعار
سهم أسهم
بنك بنوك
مصرف مصارف
عامل عمال
مصنع مصانع
برميل براميل
رقم أرقام
ضريبة ضرائب
صندوق صناديق
مشروع مشاريع مشروعات
سفينة سفن
ميناء موانئ
طريق طرق
جسر جسور
نهر أنهار
بحر بحار
جزيرة جزر
جبل جبال
مدينة مدن
بيت بيوت
منزل منازل
أرض أراض أراضي
زلزال زلازل
حريق حرائق
إعصار أعاصير
هاتف هواتف
جهاز أجهزة
حاسوب حواسيب
برنامج برامج
موقع مواقع
خبر أخبار
صحيفة صحف
رسالة رسائل
طفل أطفال
امرأة نساء
رجل رجال
شاب شباب
أب آباء
أم أمهات
أخ إخوة
ابن أبناء
بنت بنات
حادث حوادث
خطر أخطار مخاطر
هجوم هجمات
سبب أسباب
يوم أيام
شهر أشهر شهور
سنة سنوات سنين
عام أعوام
كوكب كواكب
قمر أقمار
عالم علماء
بحث أبحاث بحوث
طائر طيور
كلب كلاب
سمك أسماك
";

/// Stems of frequent words that begin with what could stand before a word: لجنة is not ل + جنة.
const BEGIN_SO: [&str; 76] = [
    "لجن",
    "لقا",
    "لقاء",
    "لواء",
    "لوا",
    "لاعب",
    "لبن",
    "لبنان",
    "ليب",
    "لندن",
    "لغ",
    "لغو",
    "لحظ",
    "لعب",
    "لقب",
    "ليل",
    "ليال",
    "لون",
    "لوح",
    "لايح",
    "لاج",
    "لقاح",
    "لحوم",
    "وزير",
    "وزار",
    "وزراء",
    "وكال",
    "وكيل",
    "ولا",
    "ولاد",
    "ولد",
    "وفا",
    "وفد",
    "وفود",
    "وحد",
    "وطن",
    "وقت",
    "وجه",
    "وجود",
    "وسط",
    "وسايل",
    "وضع",
    "وصول",
    "وصل",
    "واشنطن",
    "واقع",
    "واحد",
    "والد",
    "ورق",
    "وثيق",
    "وثايق",
    "وعد",
    "بلاد",
    "بلد",
    "بلدان",
    "بيان",
    "بنك",
    "بنوك",
    "بعث",
    "بطول",
    "بطل",
    "بريط",
    "برلم",
    "بحث",
    "بحوث",
    "بحر",
    "بيت",
    "بيوت",
    "باريس",
    "بدا",
    "برنامج",
    "برامج",
    "برشل",
    "بغداد",
    "بيروت",
    "بناء",
];

/// Words that end in what could be an ending and is not: لبنان is not لبن + ان.
const END_SO: [&str; 22] = [
    "لبنان",
    "سودان",
    "ايران",
    "ميدان",
    "رمضان",
    "سلمان",
    "عثمان",
    "عدنان",
    "طيران",
    "بركان",
    "سرطان",
    "سلطان",
    "يونان",
    "حيوان",
    "ديوان",
    "عنوان",
    "زيتون",
    "قانون",
    "مليون",
    "بحرين",
    "ياسين",
    "تمرين",
];

#[cfg(test)]
#[path = "kin_tests.rs"]
mod tests;
