echo 'BASE64' | base64 -d | cancel-machine-action --exit-zero --timeout 60 --wait 120
