module driftdeck.test/keys

go 1.24
