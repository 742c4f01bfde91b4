//! Which words name places, and which announce a name.
//!
//! In: normalized words. Out: the country that a word names or lies in; whether the word before announces a place or a
//! person.
//! Promise: pure; a word is looked up with and without article, joined letters and the endings of an adjective.
//! Why a list: in Arabic nothing in the writing tells a name, and the countries, which are frequent in every stream and
//! therefore weigh little, are what tells two earthquakes apart. It need not be complete: a place that is missing is a
//! word like others, and those after "city of" and the like are known by that. Cities that stand for their football clubs
//! more often than for themselves are left out.

use std::collections::HashMap;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use super::sketch::hash;
use crate::text::hashed::Plain;
use crate::text::normalize::normalize;

/// What a word says of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The term of the country that it names or lies in.
    pub(super) country: u32,
    /// The term of the place, one for all forms of its name; none where it names the country itself, or its people.
    pub(super) within: Option<u32>,
}

/// What a word means by itself or for the word after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The place that it names.
    pub(super) place: Option<Place>,
    /// Whether the word after it names a place: "city", "province", "airport".
    pub(super) announces_place: bool,
    /// Whether the word after it names a person or a body: "president", "company", "club".
    pub(super) announces_name: bool,
}

/// What a normalized word means.
pub(super) fn meaning(word: &str) -> Meaning {
    MEANINGS.get(&xxh3_64(word.as_bytes())).copied().unwrap_or_default()
}

/// What is joined to the beginning of a word.
const JOINED: [&str; 18] =
    ["", "ال", "لل", "و", "ف", "ب", "ك", "ل", "وال", "فال", "بال", "كال", "وبال", "وب", "ول", "ولل", "فب", "فل"];

/// Those with an article.
const WITH_ARTICLE: [&str; 8] = ["ال", "لل", "وال", "فال", "بال", "كال", "وبال", "ولل"];

/// By the hash of the word: one look-up for each word of a text, whatever is joined to it.
static MEANINGS: LazyLock<HashMap<u64, Meaning, Plain>> = LazyLock::new(|| {
    let mut meanings = HashMap::<u64, Meaning, Plain>::default();
    let mut see = |joined: &[&str], word: &str, mean: &mut dyn FnMut(&mut Meaning)| {
        for joined in joined {
            mean(meanings.entry(xxh3_64([joined, word].concat().as_bytes())).or_default());
        }
    };
    for line in COUNTRIES.lines() {
        let (names, within) = line.split_once(':').unwrap_or((line, ""));
        let country = hash(&format!("country {}", names.split_whitespace().next().unwrap_or_default()));
        let names = names.split_whitespace().map(|name| (None, name));
        let within = within.split_whitespace().map(|name| (Some(hash(&format!("place {name}"))), name));
        for (within, name) in names.chain(within) {
            let name = normalize(name);
            let mut place = |meaning: &mut Meaning| {
                meaning.place.get_or_insert(Place { country, within });
            };
            // Without its article the name may be another word.
            let bare = name.strip_prefix("ال").filter(|bare| bare.chars().nth(2).is_some());
            see(if bare.is_some() { &WITH_ARTICLE } else { &JOINED }, bare.unwrap_or(&name), &mut place);
            for form in adjectives(bare.unwrap_or(&name)) {
                see(&JOINED, &form, &mut place);
            }
        }
    }
    for cue in PLACE_CUES.split_whitespace() {
        see(&JOINED, &normalize(cue), &mut |meaning| meaning.announces_place = true);
    }
    for cue in NAME_CUES.split_whitespace() {
        see(&JOINED, &normalize(cue), &mut |meaning| meaning.announces_name = true);
    }
    meanings
});

/// What belongs to the place, and its people.
fn adjectives(name: &str) -> Vec<String> {
    let root = ["يا", "ا", "ه"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let long = root.chars().nth(2).is_some();
    let ends = if long { &["ي", "يه", "يين", "يون", "يا"][..] } else { &[] };
    ends.iter().map(|end| format!("{root}{end}")).collect()
}

const PLACE_CUES: &str =
    "مدينة محافظة ولاية بلدة قرية إقليم مقاطعة قضاء مديرية منطقة مطار ميناء جزيرة نهر جبل سد مخيم حي وادي
    مرفأ بحيرة خليج مضيق ساحل ريف مدينتي محافظتي ضاحية ملعب استاد شارع ميدان جامعة بركان سجن مستشفى معبر";

const NAME_CUES: &str = "الرئيس الوزير الملك الأمير السيد السيدة الدكتور الدكتورة المستشار المستشارة الشيخ الجنرال اللواء العميد العقيد
    النجم اللاعب المدرب الفنان الفنانة الممثل الممثلة المخرج الكاتب الكاتبة الروائي الروائية الشاعر القاضي السفير الحاكم النائب
    شركة مجموعة منظمة حزب جماعة نادي بنك مصرف مؤسسة هيئة تطبيق إعصار عاصفة منتخب فريق فيروس صاروخ قمر مسبار سفينة فيلم
    رواية مسلسل متحف معرض مهرجان بطولة كأس جائزة طائرة ناقلة حركة صحيفة";

/// A line for each country: its names, then the places in it.
const COUNTRIES: &str = "\
مصر: القاهرة الإسكندرية الجيزة أسوان الأقصر أسيوط سوهاج المنيا بورسعيد السويس الإسماعيلية دمياط المنصورة طنطا سيناء العريش الغردقة قنا الفيوم المنوفية الدقهلية القليوبية مطروح
السعودية: الرياض جدة مكة الدمام تبوك أبها جازان نجران الطائف القصيم الظهران نيوم عسير
الإمارات: دبي أبوظبي الشارقة عجمان الفجيرة
قطر: الدوحة الريان
الكويت: حولي الجهراء
البحرين: المنامة
عمان: مسقط صلالة ظفار صحار
اليمن: صنعاء عدن الحديدة تعز مأرب حضرموت المكلا صعدة شبوة أبين الضالع
العراق: بغداد الموصل البصرة أربيل كركوك النجف كربلاء السليمانية دهوك الأنبار الرمادي الفلوجة ديالى نينوى الناصرية ميسان بابل
سوريا سورية: دمشق حلب حمص حماة إدلب اللاذقية طرطوس درعا الرقة السويداء القامشلي الحسكة عفرين منبج
لبنان: بيروت طرابلس صيدا بعلبك زحلة البقاع النبطية
الأردن: إربد الزرقاء العقبة معان الكرك المفرق
فلسطين: غزة القدس نابلس الخليل جنين أريحا طولكرم قلقيلية رفح خانيونس الضفة
إسرائيل: حيفا عسقلان إيلات
ليبيا: بنغازي مصراتة سبها سرت درنة طبرق
تونس: صفاقس سوسة القيروان بنزرت قابس قفصة القصرين المنستير
الجزائر: وهران قسنطينة عنابة تلمسان باتنة سطيف تيزي بجاية البليدة ورقلة غرداية
المغرب: الرباط الدارالبيضاء مراكش فاس طنجة أغادير مكناس وجدة تطوان
موريتانيا: نواكشوط
السودان: الخرطوم دارفور كسلا بورتسودان الفاشر كردفان أمدرمان القضارف
الصومال: مقديشو هرجيسا كيسمايو
جيبوتي
إثيوبيا: تيغراي أمهرة
إريتريا: أسمرة
كينيا: نيروبي مومباسا
أوغندا: كمبالا
رواندا: كيغالي
تنزانيا: زنجبار دودوما
نيجيريا: أبوجا لاغوس
غانا: أكرا
السنغال: داكار
باماكو: تمبكتو
النيجر: نيامي
تشاد: نجامينا
الكاميرون: ياوندي دوالا
الكونغو: كينشاسا غوما
أنغولا: لواندا
موزمبيق: مابوتو
زيمبابوي: هراري
زامبيا: لوساكا
ملاوي: ليلونغوي
مدغشقر: أنتاناناريفو
بوركينا: واغادوغو
غينيا: كوناكري
أميركا أمريكا: واشنطن نيويورك كاليفورنيا فلوريدا تكساس شيكاغو هيوستن بوسطن ميامي ألاسكا هاواي لويزيانا أوهايو سياتل نيفادا أريزونا مينيسوتا
كندا: أوتاوا تورونتو مونتريال فانكوفر كيبك
المكسيك: أكابولكو غوادالاخارا
كوبا: هافانا
هايتي
غواتيمالا
هندوراس
السلفادور
نيكاراغوا: ماناغوا
كوستاريكا
بنما
كولومبيا: بوغوتا ميديين
فنزويلا: كراكاس
الإكوادور: كيتو غواياكيل
بيرو: ليما كوسكو
بوليفيا: لاباز
تشيلي: سانتياغو فالبارايسو
الأرجنتين: بوينس
أوروغواي: مونتفيديو
باراغواي: أسونسيون
البرازيل: برازيليا ريو ساوباولو
بريطانيا إنجلترا: لندن برمنغهام أسكتلندا ويلز غلاسكو إدنبرة
أيرلندا: دبلن
فرنسا: باريس مرسيليا ليون نيس تولوز ستراسبورغ بوردو نانت
ألمانيا: برلين ميونيخ هامبورغ فرانكفورت كولونيا شتوتغارت
إيطاليا: روما صقلية البندقية جنوة فلورنسا
إسبانيا: كتالونيا
البرتغال: لشبونة
هولندا: أمستردام روتردام لاهاي
بلجيكا: بروكسل أنتويرب
سويسرا: جنيف زيورخ دافوس برن
النمسا نمساوي نمساوية: فيينا سالزبورغ
السويد: ستوكهولم غوتنبرغ مالمو
النرويج: أوسلو
الدنمارك: كوبنهاغن
فنلندا: هلسنكي
آيسلندا: ريكيافيك
بولندا: وارسو
التشيك: براغ
سلوفاكيا: براتيسلافا
المجر: بودابست
رومانيا: بوخارست
بلغاريا: صوفيا
صربيا: بلغراد
كرواتيا: زغرب
سلوفينيا: ليوبليانا
البوسنة: سراييفو
كوسوفو: بريشتينا
ألبانيا: تيرانا
اليونان: أثينا كريت سالونيك
قبرص: نيقوسيا
مالطا: فاليتا
تركيا: أنقرة إسطنبول إزمير أضنة غازيعنتاب هاتاي أنطاليا
روسيا: موسكو بطرسبورغ الشيشان سيبيريا قازان سوتشي الكرملين
أوكرانيا: كييف أوديسا خاركيف ماريوبول دونيتسك
بيلاروس: مينسك
مولدوفا: كيشيناو
جورجيا: تبليسي
أرمينيا: يريفان
أذربيجان: باكو
كازاخستان: ألماتي أستانا
أوزبكستان: طشقند سمرقند
قرغيزستان: بشكيك
طاجيكستان: دوشنبه
تركمانستان
أفغانستان: كابل كابول قندهار هرات جلالاباد بلخ
باكستان: إسلاماباد كراتشي لاهور بيشاور كويتا البنجاب
الهند: نيودلهي دلهي مومباي كشمير بنغالور كيرالا كلكتا تشيناي آسام غوجارات
بنغلادش: دكا
سريلانكا: كولومبو
نيبال: كاتماندو
المالديف
ميانمار: يانغون راخين
تايلاند: بانكوك بوكيت
فيتنام: هانوي
كمبوديا: بنوم
لاوس
ماليزيا: كوالالمبور
سنغافورة
إندونيسيا: جاكرتا جاوة سومطرة بالي سولاويسي لومبوك
الفلبين: مانيلا مينداناو سيبو
الصين: بكين شنغهاي ووهان سيتشوان تشنغدو قوانغتشو شينجيانغ التيبت خنان
هونغكونغ
تايوان: تايبيه
اليابان: طوكيو أوساكا هوكايدو كيوتو هيروشيما فوكوشيما
كوريا: سيول بيونغيانغ بوسان
منغوليا
أستراليا: سيدني ملبورن كوينزلاند بيرث كانبيرا بريزبين
نيوزيلندا نيوزيلاندا: أوكلاند ويلينغتون كرايستشيرش
فيجي
تونغا
إيران: طهران أصفهان شيراز تبريز كرمان الأهواز كرمانشاه";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_known_in_all_their_forms() {
        let country = |word: &str| meaning(&normalize(word)).place.map(|place| place.country);
        for (words, of) in [
            ("مصر المصري والمصرية بمصر لمصر المصريين القاهرة", "مصر"),
            ("العراق للعراق بالعراق العراقية عراقيون بغداد والبصرة", "العراق"),
            ("اليابان اليابانية لليابان طوكيو", "اليابان"),
            ("كازاخستان الكازاخستاني لكازاخستان", "كازاخستان"),
        ] {
            for word in words.split(' ') {
                assert_eq!(country(word), Some(hash(&format!("country {of}"))), "{word}");
            }
        }
        for word in "خليل عقبة بندقية كتاب المالية وزير يوم".split(' ') {
            assert_eq!(country(word), None, "{word}");
        }
    }

    #[test]
    fn what_announces_a_name_is_known_with_what_is_joined_to_it() {
        for (word, place, name) in [
            ("بمدينة", true, false),
            ("ومحافظة", true, false),
            ("لشركة", false, true),
            ("والرئيس", false, true),
            ("رئيس", false, false),
        ] {
            let meaning = meaning(&normalize(word));
            assert_eq!((meaning.announces_place, meaning.announces_name), (place, name), "{word}");
        }
    }
}
