// Command keys makes what a control plane of the tests needs before its first program starts: a certificate
// authority, a server and a client certificate, the key that signs service account tokens, the static token
// file, and free ports. It stands in for openssl, which a fresh machine may not have.
//
// Usage: keys FOLDER PORTS USER[:GROUP]...
//
// It writes ca.crt, server.crt, server.key (127.0.0.1 and localhost), admin.crt, admin.key (an administrator by
// client certificate), sa.key, tokens.csv (a random token for each USER) and USER.token into FOLDER, and prints
// PORTS free loopback ports in one line. Everything is of one run, valid for a day, and readable by its owner only.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: keys FOLDER PORTS USER[:GROUP]..."))
	}
	folder := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	fail(err)

	authorityKey, authority := certify(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "driftdeck tests"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil, nil)
	writePEM(folder, "ca.crt", "CERTIFICATE", authority.Raw)

	serverKey, server := certify(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)},
	}, authority, authorityKey)
	writePEM(folder, "server.crt", "CERTIFICATE", server.Raw)
	writeKey(folder, "server.key", serverKey)

	adminKey, admin := certify(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin-by-certificate", Organization: []string{"system:masters"}},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, authority, authorityKey)
	writePEM(folder, "admin.crt", "CERTIFICATE", admin.Raw)
	writeKey(folder, "admin.key", adminKey)

	// kube-apiserver verifies with the private key's public half, so no second file is needed.
	accounts, err := rsa.GenerateKey(rand.Reader, 2048)
	fail(err)
	writePEM(folder, "sa.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(accounts))

	var tokens strings.Builder
	for number, account := range os.Args[3:] {
		user, group, _ := strings.Cut(account, ":")
		secret := make([]byte, 16)
		_, err := rand.Read(secret)
		fail(err)
		token := hex.EncodeToString(secret)
		fmt.Fprintf(&tokens, "%s,%s,%d", token, user, number+1)
		if group != "" {
			fmt.Fprintf(&tokens, ",%q", group)
		}
		fmt.Fprintln(&tokens)
		write(folder, user+".token", []byte(token))
	}
	write(folder, "tokens.csv", []byte(tokens.String()))

	// All are held until the last one is known, so that they differ.
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		fail(err)
		defer listener.Close()
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	fmt.Println(strings.Join(ports, " "))
}

// certify makes a key and a certificate for it, signed by the given authority or, without one, by itself.
func certify(template, parent *x509.Certificate, signer crypto.Signer) (*ecdsa.PrivateKey, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	fail(err)
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	fail(err)
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	fail(err)
	certificate, err := x509.ParseCertificate(raw)
	fail(err)
	return key, certificate
}

func writeKey(folder, name string, key *ecdsa.PrivateKey) {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	fail(err)
	writePEM(folder, name, "PRIVATE KEY", raw)
}

func writePEM(folder, name, kind string, raw []byte) {
	write(folder, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}))
}

func write(folder, name string, content []byte) {
	fail(os.WriteFile(filepath.Join(folder, name), content, 0o600))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}
