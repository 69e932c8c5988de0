//! The configuration cache: time to live, last good copy, one line a failure.

use std::sync::Arc;
use std::time::Duration;

use connector::cache::Cache;
use connector::configuration::{KeyRing, RoutingTable};
use connector::endpoint_url::UrlTemplate;
use connector::parameter::Section;
use connector::project::Project;
use testkit::fakes::{FakeConfiguration, FakeLog, ManualClock};

const TTL: Duration = Duration::from_secs(30);

struct World<S> {
    cache: Cache<S>,
    clock: ManualClock,
    store: Arc<FakeConfiguration>,
    log: Arc<FakeLog>,
}

fn world<S: connector::cache::Snapshot>(parameters: &[(Section, &str, &str)]) -> World<S> {
    let (clock, log) = (ManualClock::default(), Arc::new(FakeLog::default()));
    let store = Arc::new(FakeConfiguration::with(parameters));
    World { cache: Cache::new(store.clone(), TTL, clock.port(), log.clone()), clock, store, log }
}

fn url(table: &RoutingTable) -> Option<&str> {
    table.endpoint("shop").map(|endpoint| match &endpoint.url {
        UrlTemplate::Fixed(url) => url.as_url().as_str(),
        UrlTemplate::Made { .. } => "made",
    })
}

#[tokio::test]
async fn it_is_read_once_a_time_to_live_and_then_new() {
    let world = world::<RoutingTable>(&[(Section::Endpoints, "shop", "https://a.example/")]);
    for _ in 0..3 {
        world.cache.get().await.unwrap();
    }
    assert_eq!(world.store.reads(), 1);
    let before = world.cache.get().await.unwrap().version().to_owned();
    world.store.put(Section::Endpoints, "shop", "https://b.example/");
    assert_eq!(url(&world.cache.get().await.unwrap()), Some("https://a.example/"));
    world.clock.advance(TTL);
    let table = world.cache.get().await.unwrap();
    assert_eq!(url(&table), Some("https://b.example/"));
    assert_ne!(table.version(), before);
}

#[tokio::test]
async fn what_has_not_changed_is_not_compiled_again() {
    let world =
        world::<RoutingTable>(&[(Section::Routes, "all", "message: A\nendpoint: shop\npayload: '{}'")]);
    let before = world.cache.get().await.unwrap();
    world.clock.advance(TTL);
    assert!(Arc::ptr_eq(&before, &world.cache.get().await.unwrap()), "it was read again, and is the same");
    assert_eq!(world.store.reads(), 2);
    world.store.put(Section::Routes, "all", "message: B\nendpoint: shop");
    world.clock.advance(TTL);
    assert!(!Arc::ptr_eq(&before, &world.cache.get().await.unwrap()));
}

#[tokio::test]
async fn an_unreadable_store_keeps_the_last_good_copy_and_is_told_once_a_minute() {
    let world = world::<RoutingTable>(&[(Section::Endpoints, "shop", "https://a.example/")]);
    world.cache.get().await.unwrap();
    world.store.set_unreadable(true);
    world.clock.advance(TTL);
    for _ in 0..24 {
        assert!(url(&world.cache.get().await.unwrap()).is_some());
        world.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(world.log.types(), ["configuration.problem"; 2]);
    let (first, second) = (&world.log.entries()[0], &world.log.entries()[1]);
    assert_eq!(first["last_good_kept"], true);
    assert_eq!((&first["age_s"], &second["age_s"]), (&serde_json::json!(30), &serde_json::json!(90)));
    world.store.set_unreadable(false);
    world.clock.advance(TTL);
    world.cache.get().await.unwrap();
    world.store.set_unreadable(true);
    world.clock.advance(TTL);
    world.cache.get().await.unwrap();
    assert_eq!(world.log.types().len(), 3);
}

#[tokio::test]
async fn a_store_that_was_never_readable_is_an_error_and_asked_again_soon_but_not_at_once() {
    let world = world::<KeyRing>(&[]);
    world.store.set_unreadable(true);
    for _ in 0..3 {
        assert!(world.cache.get().await.is_err());
    }
    assert_eq!(world.store.reads(), 1);
    world.store.set_unreadable(false);
    world.clock.advance(Duration::from_secs(5));
    assert!(world.cache.get().await.is_ok());
}

#[tokio::test]
async fn a_broken_parameter_keeps_its_last_good_copy_and_harms_no_other() {
    let world = world::<RoutingTable>(&[
        (Section::Endpoints, "shop", "https://a.example/"),
        (Section::Endpoints, "broken", "no url"),
    ]);
    let table = world.cache.get().await.unwrap();
    assert!(url(&table).is_some() && table.endpoint("broken").is_none());
    world.store.put(Section::Endpoints, "shop", "https://user:hunter2@a.example/");
    for _ in 0..3 {
        world.clock.advance(TTL);
        assert_eq!(url(&world.cache.get().await.unwrap()), Some("https://a.example/"));
    }
    let entries = world.log.entries();
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_eq!(
        (&entries[0]["parameter"], &entries[1]["parameter"]),
        (&"endpoints/broken".into(), &"endpoints/shop".into())
    );
    assert!(!format!("{entries:?}").contains("hunter2"));
    world.store.remove(Section::Endpoints, "shop");
    world.clock.advance(TTL);
    assert_eq!(url(&world.cache.get().await.unwrap()), None, "a deleted parameter is gone");
}

#[tokio::test]
async fn a_key_that_does_not_parse_is_named_and_disables_no_other() {
    let world = world::<KeyRing>(&[
        (Section::Keys, "good", testkit::signing::DEVELOPMENT_PUBLIC_KEY),
        (Section::Keys, "bad", "MIGf"),
    ]);
    assert_eq!(world.cache.get().await.unwrap().keys().len(), 1);
    assert_eq!(world.log.entries()[0]["parameter"], "keys/bad");
}

#[tokio::test]
async fn projects_are_found_by_key_and_by_account_and_keep_their_last_good_copy() {
    let project = |account: &str| {
        format!(
            "{{ authUrl: 'https://auth.example', apiUrl: 'https://api.example', clientId: a, clientSecret: b, accountId: {account}, retailerId: 1 }}"
        )
    };
    let world = world::<RoutingTable>(&[
        (Section::Commercetools, "shop-b", &project("ACME")),
        (Section::Commercetools, "shop-a", &project("ACME")),
        (Section::Commercetools, "other", &project("OTHER")),
    ]);
    world.cache.get().await.unwrap();
    world.store.put(Section::Commercetools, "shop-b", "broken");
    world.clock.advance(TTL);
    let table = world.cache.get().await.unwrap();
    assert_eq!(table.project("other").map(Project::account_id), Some("OTHER"));
    assert!(table.project("nobody").is_none());
    assert_eq!(table.projects_of("ACME").map(Project::key).collect::<Vec<_>>(), ["shop-a", "shop-b"]);
    assert_eq!(world.log.entries()[0]["parameter"], "commercetools/shop-b");
}

#[tokio::test(start_paused = true)]
async fn a_patient_caller_asks_again_until_it_is_readable_or_its_time_is_over() {
    let world = world::<KeyRing>(&[]);
    world.store.set_unreadable(true);
    let store = world.store.clone();
    let cache = world.cache.patient(Duration::from_secs(12), Arc::new(|| 0.4));
    let both = (cache.get(), cache.get());
    let (waited, shared) = tokio::join!(both.0, both.1);
    assert!(waited.is_err() && shared.is_err());
    assert_eq!(store.reads(), 18, "one every 0.7 s, and those who wait beside it ask for none");
    assert!(cache.get().await.is_err());
    assert_eq!(store.reads(), 18, "at once, right after");
    world.clock.advance(Duration::from_secs(5));
    let mends = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        store.set_unreadable(false);
    };
    let (read, ()) = tokio::join!(cache.get(), mends);
    assert!(read.is_ok());
    assert_eq!(store.reads(), 24);
}
