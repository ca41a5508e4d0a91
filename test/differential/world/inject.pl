# Sends what it is given: one line each, "DEVICE HEX": an Ethernet frame for that device, or with "-" for it a raw IP packet
# of this host. A line "sync" is answered by "done".
# Perl, because Node has no raw sockets and perl-base is on every Debian and Ubuntu.
use strict;
use warnings;
use Socket qw(AF_INET AF_INET6 SOCK_RAW pack_sockaddr_in pack_sockaddr_in6);

use constant { IPPROTO_RAW => 255, AF_PACKET => 17 };

my %sockets;
my %indexes;
$| = 1;

sub socket_for {
    my ($family) = @_;
    return $sockets{$family} if $sockets{$family};
    # Protocol 0 of a packet socket: it only sends.
    socket(my $handle, $family, SOCK_RAW, $family == AF_PACKET ? 0 : IPPROTO_RAW) or die "socket: $!";
    return $sockets{$family} = $handle;
}

sub index_of {
    my ($device) = @_;
    return $indexes{$device} if $indexes{$device};
    open(my $file, '<', "/sys/class/net/$device/ifindex") or die "$device: $!";
    chomp(my $index = <$file>);
    return $indexes{$device} = $index;
}

while (my $line = <STDIN>) {
    chomp $line;
    if ($line eq 'sync') { print "done\n"; next; }
    my ($device, $hex) = split / /, $line;
    my $packet = pack 'H*', $hex;
    if ($device ne '-') {
        # struct sockaddr_ll of packet(7); the protocol is that of the frame's header.
        my $to = pack 'S a2 i S C C a8', AF_PACKET, substr($packet, 12, 2), index_of($device), 0, 0, 6, substr($packet, 0, 6);
        send(socket_for(AF_PACKET), $packet, 0, $to) // die "send by $device: $!";
        next;
    }
    my $six = (ord($packet) >> 4) == 6;
    my $address = $six ? substr($packet, 24, 16) : substr($packet, 16, 4);
    my $to = $six ? pack_sockaddr_in6(0, $address) : pack_sockaddr_in(0, $address);
    # A drop in OUTPUT fails with EPERM: that is an answer, not a mistake of ours.
    send(socket_for($six ? AF_INET6 : AF_INET), $packet, 0, $to);
}
