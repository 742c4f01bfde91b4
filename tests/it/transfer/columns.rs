//! A Parquet file, read with the library that others read it with.

use std::path::Path;

/// Five items, as they were stored.
#[cfg(feature = "parquet")]
pub fn check(path: &Path) {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    assert_eq!((names.len(), names[0].as_str(), names[14].as_str()), (15, "id", "text"));
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    let first = &rows[0];
    assert_eq!(first.get_string(2).unwrap(), "sabah");
    assert_eq!(first.get_string(4).unwrap(), "عنوان الخبر رقم 0");
    assert_eq!(first.get_timestamp_micros(3).unwrap(), super::time(300).as_microsecond());
    assert_eq!(first.get_int(12).unwrap(), 1);
    assert!(rows.iter().any(|row| row.get_string(10).is_ok_and(|of| of.starts_with("item:"))));
}

/// Nothing is written without the feature.
#[cfg(not(feature = "parquet"))]
pub fn check(_path: &Path) {}
