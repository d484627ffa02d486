# kubesim: a Kubernetes node in Swift. `make help` lists the targets.

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
BUILD := .build/release
PROGRAMS := kubesim kubesim-oci kubesim-shim
UNITS := kubesim.service kubesim-cri.service
# For bash, zsh and fish, below share.
COMPLETIONS := bash-completion/completions/kubesim zsh/site-functions/_kubesim fish/vendor_completions.d/kubesim.fish
DEMO_ROOT ?= /var/lib/kubesim-demo

# What a Debian 12 lacks: to build, and to run.
BUILD_PACKAGES := build-essential binutils libseccomp-dev libcap-dev libarchive-dev libisal-dev zlib1g-dev libzstd-dev libsqlite3-dev python3
RUN_PACKAGES := busybox-static containernetworking-plugins iptables iproute2 libarchive13 libisal2 libseccomp2 libsqlite3-0 zlib1g
TEST_PACKAGES := runc crun procps uidmap docker-registry openssl python3-venv
CLIENT_PACKAGES := podman catatonit containerd
VM_PACKAGES := qemu-system-x86 cpio kmod e2fsprogs debootstrap
# A gRPC client that is not ours: Python's, from PyPI.
CLIENT_PYTHON := .build/client/bin/python
# Which machine test-vm boots: cgroup2 (the tests alone) or systemd (the tests as its service).
VM ?= cgroup2

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Installs what is missing among $(1) and asks nothing; says nothing where all is there.
define install_packages
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q '^install ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing from Debian:" $$missing; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@command -v $(SWIFT) >/dev/null || { echo "make: no swift on the PATH: install the Swift 6.3 toolchain (https://www.swift.org/install/linux) and try again" >&2; exit 1; }
endef

.PHONY: deps
deps: ## Install what Debian has and this machine lacks
	$(call install_packages,$(BUILD_PACKAGES) $(RUN_PACKAGES))

.PHONY: test-deps
test-deps: deps
	$(call install_packages,$(TEST_PACKAGES))
	@$(MAKE) --no-print-directory $(CLIENT_PYTHON)

# Debian's interpreter, whose packages the lists above name, whatever else is on the PATH.
$(CLIENT_PYTHON): Tests/Client/requirements.txt
	@echo "installing from PyPI:" $$(cat $<)
	@rm -rf .build/client && /usr/bin/python3 -m venv .build/client
	@.build/client/bin/pip install --quiet --disable-pip-version-check -r $< || { rm -rf .build/client; exit 1; }
	@touch $@

.PHONY: build
build: deps ## Build the release programs into bin/
	$(SWIFT) build -c release --product kubesim-oci
	$(SWIFT) build -c release --product kubesim-shim
	$(SWIFT) build -c release --product kubesim
	@$(MAKE) --no-print-directory bin

# From the build directory to bin/: stripped, and replaced in one step, since a node may be running the old ones. dd writes in
# small pieces because the page cache keeps a file in folios as large as its writes, and the kernel (6.18) maps a folio whole:
# of what strip wrote, 0.5 MB more is resident and never used.
.PHONY: bin
bin:
	@scripts/world-a-gate $(BUILD)/kubesim-oci $(BUILD)/kubesim-shim
	@mkdir -p bin
	@for p in $(PROGRAMS); do \
		strip -o bin/.$$p.stripped $(BUILD)/$$p && dd if=bin/.$$p.stripped of=bin/.$$p.new bs=4k status=none && \
		rm bin/.$$p.stripped && chmod 755 bin/.$$p.new && mv -f bin/.$$p.new bin/$$p || exit 1; \
	done
	@$(CC) -static -Os -s -Wall -Wextra -Werror -o bin/.pause.new Sources/pause/pause.c && mv -f bin/.pause.new bin/pause
	@ls -l bin | awk 'NR > 1 { printf "  bin/%-14s %6.1f MB\n", $$NF, $$5 / 1048576 }'

.PHONY: samples
samples: deps ## Build the sample images into rootfs-samples/out/
	@rootfs-samples/make

.PHONY: run
run: build samples ## Start a demo node on the sample manifests; Ctrl-C leaves nothing behind
	@bin/kubesim node --demo --root $(DEMO_ROOT) --manifests rootfs-samples/manifests --images rootfs-samples/out

.PHONY: test
test: build samples test-deps ## Every test: unit, and integration as root
	$(SWIFT) build -c release --build-tests
	@$(MAKE) --no-print-directory bin
	KUBESIM_BIN=$(CURDIR)/bin scripts/run-tests $(if $(FILTER),--filter $(FILTER))

.PHONY: test-cri-client
test-cri-client: build samples test-deps ## Python's gRPC speaks to `kubesim cri`: every call, and the hard cases
	@$(CLIENT_PYTHON) Tests/Client/run $(FILTER)

.PHONY: test-clients
test-clients: ## podman and containerd drive the OCI runtime, with crun beside it (installs both)
	$(call install_packages,$(CLIENT_PACKAGES))
	@$(MAKE) --no-print-directory test FILTER='"(PodmanTests|ContainerdTests)"'

.PHONY: test-vm
test-vm: test-deps ## The OCI runtime's tests in QEMU, on cgroup v2 alone (VM=systemd: below systemd)
	$(call install_packages,$(VM_PACKAGES))
	$(SWIFT) build -c release --build-tests
	@$(MAKE) --no-print-directory bin
	@Tests/VM/run $(VM) $(if $(FILTER),--filter '$(FILTER)')

.PHONY: fuzz
fuzz: deps ## Fuzz the runtime's readers, FOR seconds each (default 600)
	@scripts/fuzz $(or $(FOR),600)

.PHONY: lint
lint: ## Check the format of every source
	@$(SWIFT) format lint --strict --recursive --parallel Package.swift $(shell git ls-files 'Sources/*.swift' 'Tests/*.swift' | grep -v /Generated/)

.PHONY: format
format: ## Format every source
	@$(SWIFT) format --in-place --recursive --parallel Package.swift $(shell git ls-files 'Sources/*.swift' 'Tests/*.swift' | grep -v /Generated/)

.PHONY: bench
bench: build samples ## Measure beside crun and runc, and the node's way from manifest to process
	$(call install_packages,$(TEST_PACKAGES))
	@python3 bench/oci.py --only run,'run with seccomp',create,start,exec,'delete --force'
	@python3 bench/node.py

.PHONY: bench-oci
bench-oci: build ## Measure the OCI runtime beside crun and runc, every command (about ten minutes)
	$(call install_packages,$(TEST_PACKAGES) strace)
	@python3 bench/oci.py
	@python3 bench/phases.py

.PHONY: bench-cri
bench-cri: build samples ## Measure the CRI beside containerd with runc and crun (about ten minutes)
	$(call install_packages,$(TEST_PACKAGES) containerd)
	@$(MAKE) --no-print-directory $(CLIENT_PYTHON)
	@$(CLIENT_PYTHON) bench/cri.py

.PHONY: order
order: ## Find anew which functions the OCI runtime's commands run, for the linker
	$(SWIFT) build -c release --product kubesim-oci
	@python3 bench/order.py

.PHONY: install
install: ## Install programs, units, completions and an example configuration (PREFIX=/usr/local)
	@test -x bin/kubesim || { echo "make: nothing to install: run 'make build' first" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/kubesim $(DESTDIR)/etc/kubesim/manifests
	install -m 755 bin/kubesim bin/kubesim-oci bin/kubesim-shim $(DESTDIR)$(PREFIX)/bin/
	install -m 755 bin/pause $(DESTDIR)$(PREFIX)/libexec/kubesim/pause
	install -d $(DESTDIR)/etc/systemd/system
	for unit in $(UNITS); do sed 's|@PREFIX@|$(PREFIX)|g' packaging/$$unit.in > $(DESTDIR)/etc/systemd/system/$$unit || exit 1; done
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,$(dir $(COMPLETIONS)))
	bin/kubesim completion bash > $(DESTDIR)$(PREFIX)/share/$(word 1,$(COMPLETIONS))
	bin/kubesim completion zsh > $(DESTDIR)$(PREFIX)/share/$(word 2,$(COMPLETIONS))
	bin/kubesim completion fish > $(DESTDIR)$(PREFIX)/share/$(word 3,$(COMPLETIONS))
	test -e $(DESTDIR)/etc/kubesim/kubesim.yaml || install -m 644 packaging/kubesim.yaml $(DESTDIR)/etc/kubesim/kubesim.yaml

.PHONY: uninstall
uninstall: ## Take them away again; pods, data and your configuration stay
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(PROGRAMS)) $(addprefix $(DESTDIR)/etc/systemd/system/,$(UNITS))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/,$(COMPLETIONS))
	rm -rf $(DESTDIR)$(PREFIX)/libexec/kubesim
	@cmp -s packaging/kubesim.yaml $(DESTDIR)/etc/kubesim/kubesim.yaml && rm -f $(DESTDIR)/etc/kubesim/kubesim.yaml || true
	@rmdir $(DESTDIR)/etc/kubesim/manifests $(DESTDIR)/etc/kubesim 2>/dev/null || true

.PHONY: proto
proto: ## Generate Swift from the .proto files (after changing one)
	$(call install_packages,protobuf-compiler)
	scripts/generate-grpc

.PHONY: clean
clean: ## Remove what was built
	rm -rf .build .build-fuzz bin rootfs-samples/out
