//! MaxMind's databases.
//!
//! In: a folder with `.mmdb` files. Out: the network operator, country and city of an address. Promise: each kind of database
//! may be missing; a file that is no database is an error that names it.

use super::KnowledgeError;
use maxminddb::{Reader, geoip2};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Databases of a folder.
pub struct GeoIp {
    readers: Vec<Reader<Vec<u8>>>,
}

impl fmt::Debug for GeoIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds()).finish()
    }
}

/// What the databases know of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GeoRecord {
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// Its operator.
    pub operator: Option<String>,
    /// The country's code.
    pub country: Option<String>,
    /// The city.
    pub city: Option<String>,
}

/// Where an address is, in hundredths of a degree: databases do not know it better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coordinates {
    /// North of the equator.
    pub latitude: i32,
    /// East of Greenwich.
    pub longitude: i32,
}

impl Coordinates {
    /// Kilometres along the ground to another place.
    pub fn distance(self, other: Self) -> f64 {
        const RADIUS: f64 = 6371.0;
        let radians = |hundredths: i32| (f64::from(hundredths) / 100.0).to_radians();
        let (north, other_north) = (radians(self.latitude), radians(other.latitude));
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let east = radians(other.longitude - self.longitude);
        let chord = half(other_north - north) + north.cos() * other_north.cos() * half(east);
        2.0 * RADIUS * chord.sqrt().min(1.0).asin()
    }
}

impl fmt::Display for GeoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asn = self.asn.map(|asn| format!("AS{asn}"));
        let parts = [&asn, &self.operator, &self.city, &self.country];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        f.write_str(&parts.join(" "))
    }
}

impl GeoIp {
    /// Opens every database of a folder.
    pub fn open(folder: &Path) -> Result<Self, KnowledgeError> {
        let read = |source| KnowledgeError::Read {
            path: folder.to_owned(),
            source,
        };
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(read)?
            .iter()
            .map(std::fs::DirEntry::path)
            .filter(|path| path.extension().is_some_and(|end| end == "mmdb"))
            .collect();
        paths.sort();
        if paths.is_empty() {
            return Err(KnowledgeError::Content {
                path: folder.to_owned(),
                reason: "no .mmdb file in this folder".to_owned(),
            });
        }
        let readers = paths.into_iter().map(|path| {
            Reader::open_readfile(&path).map_err(|error| KnowledgeError::Content {
                reason: format!("not a MaxMind database: {error}"),
                path,
            })
        });
        Ok(Self {
            readers: readers.collect::<Result<_, _>>()?,
        })
    }

    /// What the databases are, with their dates.
    pub fn kinds(&self) -> Vec<String> {
        let describe = |reader: &Reader<Vec<u8>>| {
            let metadata = reader.metadata();
            let built = i64::try_from(metadata.build_epoch).unwrap_or_default();
            let day = chrono::DateTime::from_timestamp(built, 0).map(|time| time.date_naive());
            format!("{} of {}", metadata.database_type, day.unwrap_or_default())
        };
        self.readers.iter().map(describe).collect()
    }

    /// Where an address is, if a database knows it well enough to tell cities apart.
    pub fn coordinates(&self, address: IpAddr) -> Option<Coordinates> {
        const WELL_ENOUGH: u16 = 200;
        let cities = self
            .readers
            .iter()
            .filter(|reader| reader.metadata().database_type.contains("City"));
        let mut found = cities.filter_map(|reader| {
            let city = reader.lookup(address).ok()?;
            let city = city.decode::<geoip2::City<'_>>().ok()??;
            let exact = city
                .location
                .accuracy_radius
                .is_none_or(|km| km <= WELL_ENOUGH);
            let hundredths = |degrees: f64| (degrees * 100.0).round() as i32;
            Some(Coordinates {
                latitude: hundredths(city.location.latitude.filter(|_| exact)?),
                longitude: hundredths(city.location.longitude?),
            })
        });
        found.next()
    }

    /// What is known of an address; a database that cannot be read there knows nothing.
    pub fn lookup(&self, address: IpAddr) -> Option<GeoRecord> {
        let mut place = GeoRecord::default();
        for reader in &self.readers {
            let Ok(found) = reader.lookup(address) else {
                continue;
            };
            let kind = reader.metadata().database_type.as_str();
            if kind.contains("ASN") || kind.contains("ISP") {
                if let Ok(Some(asn)) = found.decode::<geoip2::Asn<'_>>() {
                    place.asn = place.asn.or(asn.autonomous_system_number);
                    let operator = asn.autonomous_system_organization.map(str::to_owned);
                    place.operator = place.operator.or(operator);
                }
            } else if kind.contains("City")
                && let Ok(Some(city)) = found.decode::<geoip2::City<'_>>()
            {
                place.country = place.country.or(city.country.iso_code.map(str::to_owned));
                place.city = place.city.or(city.city.names.english.map(str::to_owned));
            } else if kind.contains("Country")
                && let Ok(Some(country)) = found.decode::<geoip2::Country<'_>>()
            {
                place.country = place
                    .country
                    .or(country.country.iso_code.map(str::to_owned));
            }
        }
        (place != GeoRecord::default()).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_along_the_ground() {
        let place = |latitude, longitude| Coordinates {
            latitude,
            longitude,
        };
        let (london, new_york) = (place(5151, -13), place(4071, -7401));
        assert!((london.distance(new_york) - 5570.0).abs() < 20.0);
        assert!(london.distance(london) < 0.1);
        assert!((place(0, 17_900).distance(place(0, -17_900)) - 222.0).abs() < 2.0);
    }

    #[test]
    fn what_is_no_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = GeoIp::open(folder.path()).unwrap_err().to_string();
        assert!(empty.contains("no .mmdb file"), "{empty}");
        std::fs::write(
            folder.path().join("GeoLite2-ASN.mmdb"),
            "nothing of the kind",
        )
        .unwrap();
        let wrong = GeoIp::open(folder.path()).unwrap_err().to_string();
        assert!(
            wrong.contains("GeoLite2-ASN.mmdb: not a MaxMind database"),
            "{wrong}"
        );
        assert!(GeoIp::open(&folder.path().join("missing")).is_err());
    }
}
