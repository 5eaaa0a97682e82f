# A development shell, the package and the app: nix develop, nix build, nix run . -- serve --port 8000
#
# There is no hash to fill in: package-lock.json has the integrity of each dependency, and npm fetches each by name and version.
#
# Checked so far, on x86_64-linux with Nix 2.8 and no nixpkgs at hand: it parses; with a small stand-in for nixpkgs (a plain
# mkDerivation without a sandbox, and Node 24) its package and app evaluate, each dependency fetched has the integrity it should,
# the package builds, and `nix run . -- serve` serves. Not checked: with nixpkgs itself, in a sandbox, the development shell,
# other systems. There is no flake.lock yet; the first `nix` command writes one.
{
  description = "A chat server written as one Effect program";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";

  outputs = { self, nixpkgs }:
    let
      inherit (builtins) attrNames elemAt filter foldl' fromJSON match readFile replaceStrings;

      # Nix's names for a system, and npm's.
      systems = {
        "x86_64-linux" = { os = "linux"; cpu = "x64"; };
        "aarch64-linux" = { os = "linux"; cpu = "arm64"; };
        "aarch64-darwin" = { os = "darwin"; cpu = "arm64"; };
      };
      forEach = build: builtins.mapAttrs (system: _: build system nixpkgs.legacyPackages.${system}) systems;

      manifest = fromJSON (readFile ./package.json);
      locked = (fromJSON (readFile ./package-lock.json)).packages;

      # A dependency's place is node_modules/NAME, or below another's; one that names another system is left out, and so is
      # the npm package of Node itself.
      nameOf = place: elemAt (match "(.*/)?node_modules/((@[^/]+/)?[^/]+)" place) 1;
      fits = { os, cpu }: place:
        let
          dependency = locked.${place};
          allows = list: wanted: list == null || builtins.elem wanted list;
        in
        place != "" && nameOf place != "node" && !(dependency.link or false)
        && allows (dependency.os or null) os && allows (dependency.cpu or null) cpu && allows (dependency.libc or null) "glibc";

      package = system: pkgs:
        let
          nodejs = pkgs.nodejs_24;

          # A fixed-output derivation, so it may use the network; npm takes the registry from its own configuration.
          tarball = place:
            let
              dependency = locked.${place};
              name = dependency.name or (nameOf place);
            in
            pkgs.stdenvNoCC.mkDerivation {
              name = "${replaceStrings [ "@" "/" ] [ "" "-" ] name}-${dependency.version}.tgz";
              nativeBuildInputs = [ nodejs pkgs.cacert ];
              outputHash = dependency.integrity;
              outputHashMode = "flat";
              preferLocalBuild = true;
              buildCommand = ''
                export HOME=$PWD
                npm pack --ignore-scripts --silent '${name}@${dependency.version}'
                mv ./*.tgz "$out"
              '';
            };
          places = filter (fits systems.${system}) (attrNames locked);
          unpack = place: ''
            mkdir -p '${place}'
            tar -xzf '${tarball place}' -C '${place}' --strip-components=1
          '';
        in
        pkgs.stdenvNoCC.mkDerivation {
          pname = manifest.name;
          version = manifest.version;
          src = self;
          nativeBuildInputs = [ nodejs pkgs.makeWrapper ];
          buildPhase = ''
            runHook preBuild
            ${foldl' (all: place: all + unpack place) "" places}
            chmod -R u+w node_modules
            mkdir -p node_modules/.bin
            chmod +x node_modules/typescript/bin/tsc
            ln -s ../typescript/bin/tsc node_modules/.bin/tsc
            patchShebangs node_modules/typescript/bin
            node scripts/build.ts
            runHook postBuild
          '';
          installPhase = ''
            runHook preInstall
            mkdir -p "$out/lib/${manifest.name}" "$out/bin"
            cp -r dist package.json LICENSE README.md "$out/lib/${manifest.name}/"
            makeWrapper ${nodejs}/bin/node "$out/bin/chat" --add-flags "$out/lib/${manifest.name}/dist/chat.cjs"
            runHook postInstall
          '';
          doInstallCheck = true;
          installCheckPhase = ''"$out/bin/chat" --version'';
          meta = {
            inherit (manifest) description;
            license = pkgs.lib.licenses.mit;
            mainProgram = "chat";
            platforms = attrNames systems;
          };
        };
    in
    {
      packages = forEach (system: pkgs: { default = package system pkgs; });

      apps = forEach (system: _: {
        default = { type = "app"; program = "${self.packages.${system}.default}/bin/chat"; };
      });

      checks = forEach (system: _: { package = self.packages.${system}.default; });

      # Node, and the programs that some tests talk to the server with.
      devShells = forEach (_: pkgs: {
        default = pkgs.mkShell {
          packages = [ pkgs.nodejs_24 pkgs.netcat-openbsd pkgs.inetutils pkgs.tmux pkgs.python3 pkgs.procps ];
        };
      });
    };
}
