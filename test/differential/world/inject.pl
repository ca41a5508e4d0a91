# Sends raw IP packets: one line each, "DEVICE HEX" ("-" for no device). A line "sync" is answered by "done".
# Perl, because Node has no raw sockets and perl-base is on every Debian and Ubuntu.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW SOL_SOCKET pack_sockaddr_in pack_sockaddr_in6);

use constant { IPPROTO_RAW => 255, SO_BINDTODEVICE => 25 };

my %sockets;
$| = 1;

sub socket_for {
    my ($family, $device) = @_;
    my $key = "$family $device";
    return $sockets{$key} if $sockets{$key};
    socket(my $handle, $family, SOCK_RAW, IPPROTO_RAW) or die "socket: $!";
    if ($device ne '-') {
        setsockopt($handle, SOL_SOCKET, SO_BINDTODEVICE, "$device\0") or die "bind to $device: $!";
    }
    return $sockets{$key} = $handle;
}

while (my $line = <STDIN>) {
    chomp $line;
    if ($line eq 'sync') { print "done\n"; next; }
    my ($device, $hex) = split / /, $line;
    my $packet = pack 'H*', $hex;
    my $six = (ord($packet) >> 4) == 6;
    my $address = $six ? substr($packet, 24, 16) : substr($packet, 16, 4);
    my $to = $six ? pack_sockaddr_in6(0, $address) : pack_sockaddr_in(0, $address);
    # A drop in OUTPUT fails with EPERM: that is an answer, not a mistake of ours.
    send(socket_for($six ? AF_INET6 : AF_INET, $device), $packet, 0, $to);
}
